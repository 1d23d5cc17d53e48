import { builtIn } from '../../../graphs/models/index.ts';
import type { DataFacts, Model } from '../../../graphs/models/model.ts';
import { MANY } from '../../data/dataset/dataset.ts';
import { type BlockCounts, blockCounts } from '../../data/dataset/strata.ts';
import { UserError } from '../../errors.ts';
import { withDefaults } from '../../util/choices.ts';
import { losses } from '../step/losses.ts';
import { optimizers } from '../step/optimizers/index.ts';
import type { Optimizer } from '../step/optimizers/optimizer.ts';
import { type Schedule, schedules } from '../step/schedules.ts';
import { trainingChoices } from './choices.ts';
import { ENGINES, type EngineName } from './engines.ts';
import { make, type Named } from './named.ts';
import type { Resolved, TrainingPlan } from './plan.ts';
import { checkRecipe, type ProgramRecipe } from './recipe.ts';

export interface Place {
  /** @default 'cpu' */
  readonly device?: string;
  /** Threads that may train side by side. @default 1 */
  readonly workers?: number;
  /** Engines that run there. @default all */
  readonly engines?: readonly string[];
  /** Into how many blocks the ratings' file is cut; absent where they are in memory. */
  readonly storedIn?: BlockCounts;
}

type Choice = ReturnType<typeof checkRecipe>['chosen'];

/** Rows of all tables together above which moving each of them at every step costs more than it gains. */
const LARGE_TABLES = 50_000;

/**
 * Makes every choice that a recipe leaves open: the defaults of the table, and what depends on the data or on where
 * training runs. They are what predicted best in cross-validations on MovieLens.
 *
 * @throws UserError for choices that cannot be
 */
export function resolve(recipe: ProgramRecipe, facts: DataFacts, place: Place = {}): Resolved {
  const { definition, chosen } = checkRecipe(recipe);
  const engine = engineOf(chosen, facts, place);
  checkEngine(engine, chosen, place);
  const model = definition(facts);
  checkSizes(model);
  const { model: _, learningRate: chosenRate, weightDecay, ...taken } = withDefaults(trainingChoices, chosen);
  const optimizer = optimizerOf(chosen.optimizer ?? usualOptimizer(engine, place), weightDecay);
  const tables = Object.values(model.parameters).filter(({ rowsOf }) => rowsOf);
  const dense = tables.length < Object.keys(model.parameters).length;
  const batchSize = chosen.batchSize ?? optimizer.usual.batchSize(facts.ratings);
  const learningRate =
    chosenRate ??
    builtIn(model.name)?.learningRates?.[optimizer.name] ??
    optimizer.usual.learningRate({ ratings: facts.ratings, batchSize, dense });
  const schedule = scheduleOf(
    {
      learningRate,
      ...namedOf(chosen.schedule ?? optimizer.usual.schedule),
      ...(chosenRate && { learningRate }),
    },
    engine,
  );
  const training: TrainingPlan = {
    ...taken,
    batchSize,
    sparseUpdates:
      sparseUpdatesFor(engine) ??
      chosen.sparseUpdates ??
      tables.reduce((sum, { dims }) => sum + dims[0], 0) > LARGE_TABLES,
    // So that a loss is what it is where ratings go from 1 to 5.
    ...(optimizer.summed && { lossScale: (4 / (facts.high - facts.low)) ** losses[taken.loss].power }),
    engine,
    ...(engine === 'strata' && {
      blocks: place.storedIn ?? blockCounts(facts, place.workers ?? 1, chosen.blocks),
      workers: place.workers ?? 1,
    }),
    optimizer: { name: optimizer.name, ...optimizer.config } as TrainingPlan['optimizer'],
    schedule: { name: schedule.name, ...schedule.config } as TrainingPlan['schedule'],
  };
  const plan = { model: { name: model.name, config: model.config }, training };
  return { plan, definition, model, optimizer, schedule };
}

/** A file holds at most 2 GiB. */
function checkSizes({ name, parameters }: Model): void {
  for (const [parameter, { dims }] of Object.entries(parameters))
    if (dims.reduce((product, dim) => product * dim, 4) >= 2 ** 31)
      throw new UserError(
        'argument',
        `${name}: ${parameter} would have ${dims.join(' × ')} numbers, more than a file holds; give smaller widths`,
      );
}

function engineOf(chosen: Choice, facts: DataFacts, place: Place): EngineName {
  const { engine = trainingChoices.engine.default, blocks, sparseUpdates } = chosen;
  const { storedIn, device = 'cpu', engines = ENGINES } = place;
  if (engine !== 'auto' && !engines.includes(engine))
    throw new UserError('argument', `the engine ${engine} does not run here; leave it out`);
  if (storedIn) {
    if (engine !== 'auto' && engine !== 'strata')
      throw new UserError(
        'argument',
        'ratings in a file are trained by strata; leave out the engine, or read them without store',
      );
    if (blocks && String(blocks) !== String(storedIn))
      throw new UserError(
        'argument',
        `blocks is ${blocks}, but the ratings are stored in ${storedIn}; say so when they are read`,
      );
    return 'strata';
  }
  if (engine !== 'auto') return engine;
  const many = facts.ratings >= MANY && device === 'cpu' && sparseUpdates !== false;
  const byStrata = engines.includes('strata');
  if (blocks && !byStrata)
    throw new UserError(
      'argument',
      'blocks are for training by strata, which does not run here; leave them out',
    );
  return blocks || (many && byStrata) ? 'strata' : 'epoch-graph';
}

/** @throws UserError where an engine is asked for what it cannot do */
export function checkEngine(engine: EngineName | 'auto', chosen: Choice, { device = 'cpu' }: Place): void {
  const { blocks, sparseUpdates, optimizer } = chosen;
  const api = "ONNX Runtime's training API";
  const asked = engine === 'strata' || (engine === 'auto' && blocks !== undefined);
  const refuse = (isSo: boolean, message: string): void => {
    if (isSo) throw new UserError('argument', message);
  };
  const away = device !== 'cpu';
  const byApi = engine === 'ort-training';
  const optimizerName = optimizer && namedOf(optimizer).name;
  refuse(
    blocks !== undefined && engine !== 'auto' && engine !== 'strata',
    `blocks are for training by strata; leave them out, or the engine ${engine}`,
  );
  refuse(
    asked && sparseUpdates === false,
    'training by strata updates only the rows of a batch; leave out sparseUpdates: false',
  );
  refuse(
    asked && away,
    `training by strata is for the CPU, not for ${device}; leave out the device, or the engine`,
  );
  refuse(byApi && away, `${api} trains in WebAssembly, on the CPU; leave out the device, or the engine`);
  refuse(
    byApi && optimizerName !== undefined && optimizerName !== 'adamw',
    `${api} trains with adamw, not with ${optimizerName}; leave out the optimizer, or train with the default engine`,
  );
  refuse(
    byApi && sparseUpdates === true,
    `${api} updates all rows at every step; leave out sparseUpdates, or train with the default engine`,
  );
}

const namedOf = (chosen: string | Named): Named => (typeof chosen === 'string' ? { name: chosen } : chosen);

/** Row-wise Adagrad has not been tried on a GPU, and the training API has AdamW alone. */
const usualOptimizer = (engine: EngineName, { device = 'cpu' }: Place): keyof typeof optimizers =>
  device !== 'cpu' || engine === 'ort-training' ? 'adamw' : 'row-adagrad';

const optimizerOf = (chosen: string | Named, weightDecay?: number): Optimizer =>
  make(optimizers, { ...namedOf(chosen), ...(weightDecay !== undefined && { weightDecay }) });

function scheduleOf(named: Named, engine: EngineName): Schedule {
  const schedule = make(schedules, named);
  if (engine !== 'ort-training') return schedule;
  // The training API has one momentum throughout, for which the middle of the schedule's is taken.
  const { momentum, momentumLow } = schedule.config;
  const middle = Number(((momentum + (momentumLow ?? momentum)) / 2).toFixed(4));
  const momenta = { momentum: middle, ...(momentumLow !== undefined && { momentumLow: middle }) };
  return make(schedules, { name: schedule.name, ...schedule.config, ...momenta });
}

/** Whether an engine leaves rows without a gradient as they are; undefined where it does as it is asked. */
function sparseUpdatesFor(engine: EngineName): boolean | undefined {
  if (engine === 'strata') return true;
  return engine === 'ort-training' ? false : undefined;
}
