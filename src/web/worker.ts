import type { Ratings } from '../data/dataset/ratings.ts';
import { kindFor } from '../data/read/meaning.ts';
import { type Parsed, type ParseOptions, parse, parseItems } from '../data/read/parse.ts';
import { UserError } from '../errors.ts';
import { webRuntime } from '../run/web.ts';
import { artifactOf } from '../train/artifact.ts';
import type { Engine } from '../train/engines/engine.ts';
import { epochEngine } from '../train/engines/epoch/engine.ts';
import { fitModel } from '../train/fit.ts';
import { bestEpochs, judgementOf } from '../train/judge.ts';
import type { Progress } from '../train/progress.ts';
import { checkRecipe, type Recipe } from '../train/recipe/recipe.ts';
import type { FromWorker, ReadSettings, Source, ToWorker, TrainRequest } from './messages.ts';
import { readBytes } from './read.ts';

/** Ratings in one run of the graph. Between runs the worker reports progress and can be stopped. */
const RATINGS_PER_RUN = 2 ** 13;

const stopped = new AbortController();

const tell = (message: FromWorker): void => postMessage(message);

async function parsed({ file, name, ...options }: ParseOptions & Source): Promise<Parsed> {
  const { bytes, compression } = await readBytes(file, name);
  return parse(bytes, name, options, compression);
}

async function understand(request: ReadSettings & Source): Promise<void> {
  tell({ understood: (await parsed(request)).understanding });
}

async function train(request: TrainRequest) {
  const { file, name, titles, wasmPaths, ortTraining, recipe, precision, ...others } = request;
  const { seen, memory, kind = kindFor(recipe.objective), ...reading } = others;
  const [runtime, { reading: read, understanding }, table] = await Promise.all([
    webRuntime({ wasmPaths }),
    parsed({ ...reading, kind, seed: recipe.seed, whole: true, file, name }),
    titles && readBytes(titles, 'the titles').then(({ bytes }) => parseItems(bytes, 'the titles')),
  ]);
  const { ratings, valid, whole, report } = read;
  const ranks = recipe.objective === 'ranking' || report.kind === 'interactions';
  if (ortTraining && (ranks || checkRecipe(recipe, report.kind).solved))
    throw new UserError(
      'argument',
      'the training API predicts ratings, and trains no rankings; leave out `ortTraining`',
    );
  tell({ read: { ...understanding, heldOut: valid?.ratings.length ?? 0 } });
  const fit = (data: Ratings, chosen: Recipe, phase: Progress['phase'], heldOut?: Ratings) =>
    fitModel(data, ortTraining ? { ...chosen, engine: 'ort-training' } : chosen, {
      engines: {
        'epoch-graph': () => epochEngine,
        ...(ortTraining && { 'ort-training': () => trainingApi(ortTraining) }),
      },
      valid: heldOut,
      runtime,
      memory,
      signal: stopped.signal,
      ratingsPerRun: RATINGS_PER_RUN,
      onProgress: (progress) => tell({ progress: { ...progress, phase } }),
    });
  const trial = valid && (await fit(ratings, recipe, 'judging', valid));
  // What was learned until it was stopped is the model.
  const isSaved = !whole || stopped.signal.aborted;
  const by = request.split ?? 'random';
  const judgement = trial && (await judgementOf(trial, valid, { by, isSaved }));
  if (judgement) tell({ judged: judgement });
  const { patience: _, ...lasting } = recipe;
  const fitted =
    trial && isSaved
      ? trial
      : await fit(
          whole ?? ratings,
          { ...(trial ? lasting : recipe), ...(trial && bestEpochs(trial)) },
          'training',
        );
  const artifact = await artifactOf(fitted, {
    ...{ precision, seen, reading, noun: report.noun, judged: judgement },
    ...table,
  });
  const seconds = fitted.seconds.train + (trial && trial !== fitted ? trial.seconds.train : 0);
  tell({ done: { artifact, seconds, judgement } });
}

async function trainingApi(folder: string): Promise<Engine> {
  const { MODULE, ortTrainingEngine } = await import('../train/engines/ort-training/engine.ts');
  return ortTrainingEngine(new URL(MODULE, folder).href);
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data === 'stop') return stopped.abort();
  const work = 'train' in data ? train(data.train) : understand(data.understand);
  work.catch((error: Error) => {
    const known = error instanceof UserError;
    tell({ failed: known ? { message: error.marked, code: error.code } : { message: error.message } });
  });
});
