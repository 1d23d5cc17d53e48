import type { Judgement } from '../artifact/judgement.ts';
import type { Understanding } from '../data/read/understanding.ts';
import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import { webRuntime } from '../run/web.ts';
import type { Progress } from '../train/progress.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import type {
  Failure,
  FromWorker,
  ReadSettings,
  ReadSummary,
  ToWorker,
  Trained,
  TrainSettings,
} from './messages.ts';

export interface WebTrainOptions extends TrainSettings {
  /** Stops training after the current epoch; the model is what was learned so far. */
  readonly signal?: AbortSignal;
  onRead?(summary: ReadSummary): void;
  onProgress?(progress: Progress): void;
  /** Gets how good the recipe is, before what is saved is trained; not called if nothing is held out. */
  onJudged?(judgement: Judgement): void;
}

export interface UnderstandOptions extends ReadSettings {
  /** Stops reading; the promise is then rejected. */
  readonly signal?: AbortSignal;
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

/** A question to the worker. */
interface Job<T> {
  readonly request: ToWorker;
  readonly signal: AbortSignal | undefined;
  /** The answer; undefined for a message before it. */
  answerIn(message: FromWorker): T | undefined;
  /** What the signal does. */
  abort(post: (message: ToWorker) => void, reject: (reason: unknown) => void): void;
}

/** Runs a worker until it has answered. */
async function inWorker<T>({ request, signal, answerIn, abort }: Job<T>): Promise<T> {
  // Bundlers recognise this form and bundle the worker.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const post = (message: ToWorker): void => worker.postMessage(message);
  let stop = (): void => undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.onerror = ({ message }) =>
        reject(
          new Error(`the worker that trains could not be started or failed: ${message || 'no reason given'}`),
        );
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if ('failed' in data) return reject(errorOf(data.failed));
        const answer = answerIn(data);
        if (answer) resolve(answer);
      };
      post(request);
      stop = () => abort(post, reject);
      if (signal?.aborted) stop();
      signal?.addEventListener('abort', stop);
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    worker.terminate();
  }
}

const nameOf = (file: Blob): string => (file instanceof File ? file.name : 'the file');

/**
 * Reads a visitor's file of ratings or interactions in a worker, as `train` does, and says how it was understood: its format and columns, the first
 * rows, what is in it, and everything that was assumed. Nothing is trained.
 *
 * @throws UserError if the file cannot be read
 */
export async function understand(file: Blob, options: UnderstandOptions = {}): Promise<Understanding> {
  const { signal, ...settings } = options;
  return inWorker({
    request: { understand: { ...settings, file, name: nameOf(file) } },
    signal,
    answerIn: (message) => ('understood' in message ? message.understood : undefined),
    abort: (_, reject) => reject(signal?.reason),
  });
}

/**
 * Trains a model on a visitor's file of ratings or interactions, in a worker. The code is the same as in Node: the same file, recipe and
 * seed give the same model, up to rounding. Nothing leaves the page.
 *
 * @param file CSV, TSV, other text with a delimiter, or JSON; also compressed with gzip or zstd
 * @throws UserError if the file cannot be read, or its data cannot train a model
 */
export async function train(
  file: Blob,
  recipe: Recipe = {},
  options: WebTrainOptions = {},
): Promise<WebTrained> {
  const { signal, onRead, onProgress, onJudged, ortTraining, ...request } = options;
  const urls = { wasmPaths: absolute(options.wasmPaths), ortTraining: absolute(ortTraining) };
  const trained = await inWorker<Trained>({
    request: { train: { ...request, recipe, file, name: nameOf(file), ...urls } },
    signal,
    answerIn(message) {
      if ('read' in message) onRead?.(message.read);
      else if ('progress' in message) onProgress?.(message.progress);
      else if ('judged' in message) onJudged?.(message.judged);
      else if ('done' in message) return message.done;
    },
    abort: (post) => post('stop'),
  });
  const { wasmPaths } = options;
  return {
    ...trained,
    recommender: async () => Recommender.create(trained.artifact, await webRuntime({ wasmPaths })),
  };
}
