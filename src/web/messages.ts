import type { Artifact } from '../artifact/manifest.ts';
import type { ReadReport } from '../data/read/reading.ts';
import type { Progress } from '../train/progress.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import type { WebTrainOptions } from './train.ts';

/** What is told of a file of ratings once it has been read. */
export interface ReadSummary extends ReadReport {
  readonly heldOut: number;
}

/** What can go from thread to thread: no functions, no signals. */
export interface TrainRequest extends Omit<WebTrainOptions, 'signal' | 'onRead' | 'onProgress'> {
  readonly recipe: Recipe;
  readonly file: Blob;
  readonly name: string;
}

/** To the worker: first what to train, and then, perhaps, to end after the running epoch. */
export type ToWorker = { readonly train: TrainRequest } | 'stop';

export type FromWorker =
  | { readonly read: ReadSummary }
  | { readonly progress: Progress }
  | { readonly done: { readonly artifact: Artifact; readonly seconds: number } }
  | { readonly failed: { readonly message: string; readonly user: boolean } };
