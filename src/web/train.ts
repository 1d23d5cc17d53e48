import type { DotBiasConfig } from '../../graphs/models/dot-bias.ts';
import type { MlpConfig } from '../../graphs/models/mlp.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { UserError } from '../errors.ts';
import type { Precision } from '../onnx/compress.ts';
import type { WebRuntimeOptions } from '../run/web.ts';
import type { Progress } from '../train/fit.ts';
import type { FromWorker, ReadSummary, ToWorker } from './messages.ts';

/** What to train: `dot-bias` unless told otherwise, with its own choices, such as `{ factors: 50 }`. */
export type WebModel =
  | { readonly model?: 'dot-bias'; readonly config?: Partial<DotBiasConfig> }
  | { readonly model: 'mlp'; readonly config?: Partial<MlpConfig> };

export type WebTrainOptions = WebModel & WebSettings;

export interface WebSettings extends WebRuntimeOptions {
  /** The part of the ratings that is held out at random, and chooses the best epoch; none unless told otherwise. */
  readonly valid?: number;
  /** 6 unless told otherwise. */
  readonly epochs?: number;
  /** Ratings a step; by how many there are unless told otherwise. */
  readonly batch?: number;
  /** The highest learning rate. */
  readonly learningRate?: number;
  /** The same seed gives the same model; 1 unless told otherwise. */
  readonly seed?: number;
  /** A table of ids, titles and perhaps genres, such as MovieLens's `movies.csv`. */
  readonly titles?: Blob;
  /** How the numbers of large tables are kept in the files; float32 unless told otherwise. */
  readonly precision?: Precision;
  /**
   * Trains by ONNX Runtime's training API instead of the epoch graph: where the files in `dist` of the package
   * `onnxruntime-training` (npm's `onnxruntime-web@1.19.2`) are served, as a URL that ends in `/`.
   */
  readonly ortTraining?: string;
  /** Ends training after the running epoch, and keeps what is trained. */
  readonly signal?: AbortSignal;
  onRead?(summary: ReadSummary): void;
  onProgress?(progress: Progress): void;
}

/** A model that was trained in the page: `Recommender.create` asks it, and its files may be saved. */
export interface WebTrained {
  readonly artifact: Artifact;
  /** What training took, without reading and export. */
  readonly seconds: number;
}

/**
 * Trains a model on a visitor's file of ratings, in a worker of its own, by the same code as in Node: the same file,
 * choices and seed give the same model, but for rounding. Nothing leaves the page.
 *
 * @param file CSV, TSV, MovieLens's `u.data` or `ratings.dat`, plain or compressed by gzip
 * @throws UserError if the file cannot be read, or cannot train a model
 */
export async function train(file: Blob, options: WebTrainOptions = {}): Promise<WebTrained> {
  const { model, config, signal, onRead, onProgress, ortTraining, ...request } = options;
  const what = { model, config } as WebModel;
  // Written so that bundlers see it, and take the worker along.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const post = (message: ToWorker): void => worker.postMessage(message);
  const stop = (): void => post('stop');
  try {
    return await new Promise<WebTrained>((resolve, reject) => {
      worker.onerror = ({ message }) =>
        reject(
          new Error(`the worker that trains could not be started or failed: ${message || 'no reason given'}`),
        );
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if ('read' in data) onRead?.(data.read);
        else if ('progress' in data) onProgress?.(data.progress);
        else if ('done' in data) resolve(data.done);
        else reject(data.failed.user ? new UserError(data.failed.message) : new Error(data.failed.message));
      };
      const name = file instanceof File ? file.name : 'the file';
      // Where the worker lies is not where the page does.
      const engine = ortTraining && new URL(ortTraining, document.baseURI).href;
      post({ train: { ...request, what, file, name, ortTraining: engine } });
      if (signal?.aborted) stop();
      signal?.addEventListener('abort', stop);
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    worker.terminate();
  }
}
