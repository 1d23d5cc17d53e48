import { kindFor } from '../data/read/meaning.ts';
import { parseItems, parseRatings } from '../data/read/parse.ts';
import { UserError } from '../errors.ts';
import { webRuntime } from '../run/web.ts';
import { artifactOf } from '../train/artifact.ts';
import type { Engine } from '../train/engines/engine.ts';
import { epochEngine } from '../train/engines/epoch/engine.ts';
import { fitModel } from '../train/fit.ts';
import { rankingJudge } from '../train/ranking-judge.ts';
import { checkRecipe } from '../train/recipe/recipe.ts';
import type { FromWorker, ToWorker, TrainRequest } from './messages.ts';
import { readText } from './read.ts';

/** Ratings in one run of the graph. Between runs the worker reports progress and can be stopped. */
const RATINGS_PER_RUN = 2 ** 13;

const stopped = new AbortController();

const tell = (message: FromWorker): void => postMessage(message);

async function train(request: TrainRequest) {
  const { file, name, titles, wasmPaths, ortTraining, recipe, precision, ...others } = request;
  const { keepSeen, memory, kind = kindFor(recipe.objective), ...reading } = others;
  const [runtime, text, table] = await Promise.all([
    webRuntime({ wasmPaths }),
    readText(file, name),
    titles && readText(titles, 'the titles').then((text) => parseItems(text, 'the titles')),
  ]);
  const { seed } = recipe;
  const { ratings, valid, report } = parseRatings(text, name, { ...reading, kind, seed });
  const ranks = recipe.objective === 'ranking' || report.kind === 'interactions';
  if (ortTraining && (ranks || checkRecipe(recipe, report.kind).solved))
    throw new UserError(
      'argument',
      'the training API predicts ratings, and trains no rankings; leave out `ortTraining`',
    );
  tell({ read: { ...report, heldOut: valid?.ratings.length ?? 0 } });
  const fitted = await fitModel(ratings, ortTraining ? { ...recipe, engine: 'ort-training' } : recipe, {
    engines: {
      'epoch-graph': () => epochEngine,
      ...(ortTraining && { 'ort-training': () => trainingApi(ortTraining) }),
    },
    valid,
    runtime,
    memory,
    signal: stopped.signal,
    ratingsPerRun: RATINGS_PER_RUN,
    onProgress: (progress) => tell({ progress }),
  });
  const artifact = await artifactOf(fitted, {
    precision,
    keepSeen,
    reading,
    ...table,
  });
  const { counts } = fitted.ranking?.positives ?? {};
  const judge = valid && counts && (await rankingJudge({ data: ratings, valid, counts }));
  tell({ done: { artifact, seconds: fitted.seconds.train, popular: await judge?.popular() } });
}

async function trainingApi(folder: string): Promise<Engine> {
  const { MODULE, ortTrainingEngine } = await import('../train/engines/ort-training/engine.ts');
  return ortTrainingEngine(new URL(MODULE, folder).href);
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data === 'stop') stopped.abort();
  else
    train(data.train).catch((error: Error) => {
      tell({ failed: { message: error.message, ...(error instanceof UserError && { code: error.code }) } });
    });
});
