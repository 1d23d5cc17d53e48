import { existsSync } from 'node:fs';
import { isSolved } from '../../graphs/models/index.ts';
import { CHECKPOINT, TRIAL_CHECKPOINT } from '../artifact/artifact.ts';
import type { Judgement } from '../artifact/judgement.ts';
import type { Dataset } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import type { ItemTable } from '../data/read/item-table.ts';
import { readItems } from '../data/read/items.ts';
import { readRatings } from '../data/read/read.ts';
import { UserError } from '../errors.ts';
import { decimal } from '../recommend/listed.ts';
import type { NodeRuntime } from '../run/node.ts';
import { checkMemory } from '../train/item-item.ts';
import type { Progress } from '../train/progress.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import type { RunChoices } from '../train/recipe/run-choices.ts';
import { type Fitted, train } from '../train/train.ts';
import type { Given } from '../util/choices.ts';
import type { OwnFolder } from '../util/own-folder.ts';
import { type Flags, type JSON_OBJECT, readingOf, recipeOf } from './choice-options.ts';
import { onInterrupt } from './interrupt.ts';
import { plural, printLine, size } from './output.ts';
import { progressBar } from './progress.ts';
import { readToTrain, reportReading, type TrainingData } from './train-data.ts';

export type TrainFlags = Flags<keyof RunChoices> &
  Given<typeof JSON_OBJECT> &
  Readonly<Partial<Record<'resume' | 'dryRun' | 'printConfig', boolean>>>;

/** What a training gave. */
export interface Made {
  readonly data: Dataset;
  readonly fitted: Fitted;
  /** What was trained to be judged: `fitted`, or the same recipe without what is held out. */
  readonly judged?: Fitted | undefined;
  readonly judgement?: Judgement | undefined;
  /** What it is judged on. */
  readonly heldOut?: Ratings | undefined;
  readonly notJudged?: string | undefined;
  readonly noun?: string | undefined;
  readonly table?: ItemTable | undefined;
  /** Seconds that reading took. */
  readonly read: number;
  readonly aborted: boolean;
  /** Whether it was stopped while the recipe was judged, so that what is saved is trained without what is held out. */
  readonly stoppedJudging?: boolean | undefined;
}

export async function readAndTrain(
  files: readonly string[],
  flags: TrainFlags,
  folder: OwnFolder,
  runtime: NodeRuntime,
): Promise<Made> {
  const started = performance.now();
  const { engine = trainingChoices.engine.default, sparseUpdates } = flags;
  const mayStore = ['auto', 'strata'].includes(engine) && runtime.device === 'cpu' && sparseUpdates !== false;
  const found = await readToTrain(files, flags, mayStore ? folder : undefined);
  const { data, report, notJudged } = found;
  const test = flags.test === undefined ? undefined : await readTest(flags.test, flags, data);
  const table = flags.titles === undefined ? undefined : await readTitles(flags, data);
  const read = (performance.now() - started) / 1000;
  if (!flags.json) {
    reportReading(report, files, read);
    const { model = trainingChoices.model.default } = flags;
    if (isSolved(model)) printLine(`  ${needsOf(model, data, flags)}`);
    else if (flags.objective === undefined || flags.objective === 'auto') printLine(`  ${aimOf(data)}`);
  }
  const bar = progressBar();
  const { signal, stop } = onInterrupt(
    isSolved(flags.model ?? trainingChoices.model.default)
      ? 'Stopping, without a model; Ctrl-C again stops at once'
      : 'Stopping after this epoch; Ctrl-C again stops at once, and --resume then resumes from the previous epoch',
  );
  try {
    const trained = await judgeAndTrain(found, test, flags, {
      paths: { judging: folder.hidden(TRIAL_CHECKPOINT), training: folder.hidden(CHECKPOINT) },
      ...{ runtime, signal, onProgress: bar.update },
    });
    return { ...trained, data, notJudged, noun: report.noun, table, read, aborted: signal.aborted };
  } finally {
    bar.stop();
    stop();
  }
}

type Phase = NonNullable<Progress['phase']>;

interface Running {
  /** The checkpoint of each phase. */
  readonly paths: Readonly<Record<Phase, string>>;
  readonly runtime: NodeRuntime;
  readonly signal: AbortSignal;
  onProgress(progress: Progress): void;
}

/** Judges the recipe, if some ratings are held out, and then trains what is saved, with the epochs that were best. */
async function judgeAndTrain(
  { data, trial }: TrainingData,
  test: Ratings | undefined,
  flags: TrainFlags,
  { paths, runtime, signal, onProgress }: Running,
): Promise<Pick<Made, 'fitted' | 'judged' | 'judgement' | 'heldOut' | 'stoppedJudging'>> {
  const recipe = recipeOf(flags);
  const { workers, memory, resume, split } = flags;
  const first = trial ? paths.judging : paths.training;
  const isThere = Object.values(paths).some((path) => existsSync(path));
  const run = (of: Dataset, chosen: Recipe, phase: Phase, valid?: Ratings) => {
    const path = paths[phase];
    // Where there is no checkpoint at all, the first training says so.
    const resumes = resume && (existsSync(path) || (path === first && !isThere));
    return train(of, chosen, {
      ...{ runtime, valid, workers, memory, signal },
      checkpoint: { path, resume: resumes },
      onProgress: (progress) => onProgress({ ...progress, phase }),
    });
  };
  if (!trial) {
    const fitted = await run(data, recipe, 'training');
    const judgement = test && (await fitted.judge(test, { by: 'file', isSaved: true }));
    return { fitted, ...(test && { judged: fitted, judgement, heldOut: test }) };
  }
  const judged = await run(trial.data, recipe, 'judging', trial.valid);
  // What was learned until it was stopped is the model.
  const stoppedJudging = trial.data !== data && signal.aborted;
  const isSaved = trial.data === data || stoppedJudging;
  const judgement = await judged.judge(trial.valid, { by: split ?? 'random', isSaved });
  const { patience: _, ...lasting } = recipe;
  const fitted = isSaved ? judged : await run(data, { ...lasting, ...judged.epochs }, 'training');
  return { fitted, judged, judgement, heldOut: trial.valid, stoppedJudging };
}

/** Says what a model in closed form ranks by, and how much memory it takes. */
const needsOf = (model: string, data: Dataset, flags: TrainFlags): string =>
  `${model} learns to recommend; its weights between ${plural(data.itemIds.length, 'item')} take at most ${size(checkMemory(data, flags))} of memory (--memory)`;

/** Says what the model learns, and how to change that. */
const aimOf = ({ facts: { kind, low, high } }: Dataset): string =>
  kind === 'interactions'
    ? 'The model learns to recommend; to predict ratings, too, give --objective both, and --rating-column for their column'
    : `Ratings from ${decimal(low)} to ${decimal(high)}: the model learns to predict them and to recommend; --objective rating or ranking trains one part`;

const readTest = async (file: string, flags: TrainFlags, vocabulary: Dataset): Promise<Ratings> =>
  (await readRatings(file, { ...readingOf(flags), kind: vocabulary.facts.kind, vocabulary })).ratings;

async function readTitles(
  { titles = '', itemColumn }: TrainFlags,
  { facts, itemIds }: Dataset,
): Promise<ItemTable> {
  const table = await readItems(titles, { itemColumn });
  if (itemIds.some((id) => table.titles.has(id))) return table;
  throw new UserError(
    'argument',
    `${titles}: has no title for any of the ${plural(itemIds.length, 'item')}; are its ids those of the ${facts.kind ?? 'ratings'}?`,
  );
}
