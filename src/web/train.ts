import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import { webRuntime } from '../run/web.ts';
import type { Progress } from '../train/progress.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import type { Failure, FromWorker, ReadSummary, ToWorker, Trained, TrainSettings } from './messages.ts';

export interface WebTrainOptions extends TrainSettings {
  /** Stops training after the current epoch; the model is what was learned so far. */
  readonly signal?: AbortSignal;
  onRead?(summary: ReadSummary): void;
  onProgress?(progress: Progress): void;
}

/** A model that was trained in a page. */
export interface WebTrained extends Trained {
  /** Answers from the very files of `artifact`. */
  recommender(): Promise<Recommender>;
}

/** A relative URL is relative to the page, not to the worker. */
const absolute = (url: string | undefined) => url && new URL(url, document.baseURI).href;

const errorOf = ({ code, message }: Failure): Error =>
  code === undefined ? new Error(message) : new UserError(code, message);

/**
 * Trains a model on a visitor's file of ratings or interactions, in a worker. The code is the same as in Node: the same file, recipe and
 * seed give the same model, up to rounding. Nothing leaves the page.
 *
 * @param file CSV, TSV, MovieLens's `u.data` or `ratings.dat`, plain or gzipped
 * @throws UserError if the file cannot be read, or its data cannot train a model
 */
export async function train(
  file: Blob,
  recipe: Recipe = {},
  options: WebTrainOptions = {},
): Promise<WebTrained> {
  const { signal, onRead, onProgress, ortTraining, ...request } = options;
  // Bundlers recognise this form and bundle the worker.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const post = (message: ToWorker): void => worker.postMessage(message);
  const stop = (): void => post('stop');
  try {
    const trained = await new Promise<Trained>((resolve, reject) => {
      worker.onerror = ({ message }) =>
        reject(
          new Error(`the worker that trains could not be started or failed: ${message || 'no reason given'}`),
        );
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if ('read' in data) onRead?.(data.read);
        else if ('progress' in data) onProgress?.(data.progress);
        else if ('done' in data) resolve(data.done);
        else reject(errorOf(data.failed));
      };
      const name = file instanceof File ? file.name : 'the file';
      const urls = { wasmPaths: absolute(options.wasmPaths), ortTraining: absolute(ortTraining) };
      post({ train: { ...request, recipe, file, name, ...urls } });
      if (signal?.aborted) stop();
      signal?.addEventListener('abort', stop);
    });
    const { wasmPaths } = options;
    return {
      ...trained,
      recommender: async () => Recommender.create(trained.artifact, await webRuntime({ wasmPaths })),
    };
  } finally {
    signal?.removeEventListener('abort', stop);
    worker.terminate();
  }
}
