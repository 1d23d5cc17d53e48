import type { Judgement } from '../artifact/judgement.ts';
import type { Artifact } from '../artifact/manifest.ts';
import type { HoldOut } from '../data/dataset/split.ts';
import type { ParseOptions } from '../data/read/parse.ts';
import type { Understanding } from '../data/read/understanding.ts';
import type { ErrorCode } from '../errors.ts';
import type { WebRuntimeOptions } from '../run/web.ts';
import type { ExportOptions } from '../train/artifact.ts';
import type { FitOptions } from '../train/fit.ts';
import type { Progress } from '../train/progress.ts';
import type { Recipe } from '../train/recipe/recipe.ts';

/** How a file was understood, and how much of it is held out. */
export interface ReadSummary extends Understanding {
  readonly heldOut: number;
}

/** Options of training that can be sent to a worker: no functions, no signals. */
export interface TrainSettings
  extends WebRuntimeOptions,
    Omit<ParseOptions, 'seed'>,
    Pick<ExportOptions, 'precision'>,
    Pick<FitOptions, 'memory'> {
  /** Keeps which items each user has, so that recommendations leave them out. @default true */
  readonly seen?: boolean | undefined;
  /** A table of item ids, titles and, optionally, genres, such as MovieLens's `movies.csv`. */
  readonly titles?: Blob;
  /**
   * Trains with ONNX Runtime's training API instead of the epoch graph. The URL, ending in `/`, where the files in `dist`
   * of the package `onnxruntime-training` (npm's `onnxruntime-web@1.19.2`) are served.
   */
  readonly ortTraining?: string;
}

/** A file that a visitor chose. */
export interface Source {
  readonly file: Blob;
  readonly name: string;
}

export interface TrainRequest extends TrainSettings, Source {
  readonly recipe: Recipe;
}

/** How a page reads a file. */
export type ReadSettings = Omit<ParseOptions, keyof HoldOut>;

/** Result of a training. */
export interface Trained {
  /** The files that serve the model, and the manifest that lists them. */
  readonly artifact: Artifact;
  /** Time that training took, in seconds. */
  readonly seconds: number;
  /** How good the recipe is on what was held out, beside baselines; absent if nothing was held out. `verdictOf` says it in words. */
  readonly judgement?: Judgement | undefined;
}

/** Messages to the worker: what to read, or what to train and then optionally a request to stop after the current epoch. */
export type ToWorker =
  | { readonly understand: ReadSettings & Source }
  | { readonly train: TrainRequest }
  | 'stop';

export type FromWorker =
  | { readonly understood: Understanding }
  | { readonly read: ReadSummary }
  | { readonly progress: Progress }
  | { readonly judged: Judgement }
  | { readonly done: Trained }
  | { readonly failed: Failure };

export interface Failure {
  /** With marked options, if it is that of a `UserError`. */
  readonly message: string;
  /** Code of a `UserError`; absent for any other error. */
  readonly code?: ErrorCode;
}
