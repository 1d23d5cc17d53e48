import type { Artifact } from '../artifact/manifest.ts';
import type { Progress } from '../train/fit.ts';
import type { WebModel, WebSettings } from './train.ts';

/** What is told of a file of ratings once it has been read. */
export interface ReadSummary {
  readonly users: number;
  readonly items: number;
  /** Those to train on, and those held out. */
  readonly ratings: number;
  readonly heldOut: number;
  /** How many ratings a later one of the same user and item replaced. */
  readonly duplicates: number;
  /** What the reader took for granted, a sentence each. */
  readonly assumptions: readonly string[];
}

/** What can go from thread to thread: no functions, no signals. */
export interface TrainRequest extends Omit<WebSettings, 'signal' | 'onRead' | 'onProgress'> {
  readonly what: WebModel;
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
