import type { Artifact } from '../artifact/manifest.ts';
import type { HoldOut } from '../data/dataset/split.ts';
import type { ReadReport } from '../data/read/reading.ts';
import type { ErrorCode } from '../errors.ts';
import type { WebRuntimeOptions } from '../run/web.ts';
import type { ExportOptions } from '../train/artifact.ts';
import type { Progress } from '../train/progress.ts';
import type { Recipe } from '../train/recipe/recipe.ts';

/** What is told of a file of ratings once it has been read. */
export interface ReadSummary extends ReadReport {
  readonly heldOut: number;
}

/** Options of training that can go from thread to thread: no functions, no signals. */
export interface TrainSettings
  extends WebRuntimeOptions,
    Pick<HoldOut, 'valid' | 'split'>,
    Pick<ExportOptions, 'precision' | 'keepSeen'> {
  /** A table of ids, titles and perhaps genres, such as MovieLens's `movies.csv`. */
  readonly titles?: Blob;
  /**
   * Trains by ONNX Runtime's training API instead of the epoch graph: where the files in `dist` of the package
   * `onnxruntime-training` (npm's `onnxruntime-web@1.19.2`) are served, as a URL that ends in `/`.
   */
  readonly ortTraining?: string;
}

export interface TrainRequest extends TrainSettings {
  readonly recipe: Recipe;
  readonly file: Blob;
  readonly name: string;
}

/** What the worker makes. */
export interface Trained {
  /** The files that serve the model, and the manifest that lists them. */
  readonly artifact: Artifact;
  /** Time that training took, in seconds. */
  readonly seconds: number;
}

/** To the worker: first what to train, and then, perhaps, to end after the running epoch. */
export type ToWorker = { readonly train: TrainRequest } | 'stop';

export type FromWorker =
  | { readonly read: ReadSummary }
  | { readonly progress: Progress }
  | { readonly done: Trained }
  | { readonly failed: Failure };

export interface Failure {
  readonly message: string;
  /** That of a `UserError`; any other error has none. */
  readonly code?: ErrorCode;
}
