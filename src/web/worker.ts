import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { randomSplit } from '../data/dataset/split.ts';
import { parseItems, parseRatings } from '../data/read/parse.ts';
import { UserError } from '../errors.ts';
import { webRuntime } from '../run/web.ts';
import type { Engine } from '../train/engines/engine.ts';
import { trainModel } from '../train/trainer.ts';
import type { FromWorker, ToWorker, TrainRequest } from './messages.ts';
import { readText } from './read.ts';

/** The thread that trains: see `train.ts`, which starts it. */

/** Ratings in one run of the graph: between runs there is time for a curve to grow, and for a word to stop. */
const RATINGS_A_RUN = 2 ** 13;

const stopped = new AbortController();

const tell = (message: FromWorker): void => postMessage(message);

async function train(request: TrainRequest) {
  const { what, file, name, valid: part, titles, wasmPaths, ortTraining, ...options } = request;
  const definition = what.model === 'mlp' ? mlp(what.config) : dotBias(what.config);
  const [runtime, engine, text, table] = await Promise.all([
    webRuntime({ wasmPaths }),
    ortTraining ? trainingApi(ortTraining) : undefined,
    readText(file, name),
    titles && readText(titles, 'the titles').then((text) => parseItems(text, 'the titles')),
  ]);
  const all = parseRatings(text, name);
  const { seed = 1 } = options;
  const { train: ratings, valid } =
    part === undefined
      ? { train: all, valid: undefined as Ratings | undefined }
      : randomSplit(all, part, seed);
  tell({
    read: {
      users: all.userIds.length,
      items: all.itemIds.length,
      ratings: ratings.ratings.length,
      heldOut: valid?.ratings.length ?? 0,
      duplicates: all.duplicates,
      assumptions: all.assumptions,
    },
  });
  const trained = await trainModel(ratings, definition, {
    ...options,
    ...table,
    valid,
    runtime,
    engine,
    signal: stopped.signal,
    ratingsARun: RATINGS_A_RUN,
    onProgress: (progress) => tell({ progress }),
  });
  tell({ done: { artifact: trained.artifact, seconds: trained.seconds.train } });
}

async function trainingApi(folder: string): Promise<Engine> {
  const { MODULE, ortTrainingEngine } = await import('../train/engines/ort-training/engine.ts');
  return ortTrainingEngine(new URL(MODULE, folder).href);
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data === 'stop') stopped.abort();
  else
    train(data.train).catch((error: Error) => {
      tell({ failed: { message: error.message, user: error instanceof UserError } });
    });
});
