import { learned } from '../../../graphs/models/index.ts';
import type { DataFacts } from '../../../graphs/models/model.ts';
import { MANY } from '../../data/dataset/dataset.ts';
import { type BlockCounts, blockCounts } from '../../data/dataset/strata.ts';
import { option, UserError } from '../../errors.ts';
import { withDefaults } from '../../util/choices.ts';
import { losses } from '../step/losses.ts';
import { optimizers } from '../step/optimizers/index.ts';
import type { Optimizer } from '../step/optimizers/optimizer.ts';
import { type Schedule, schedules } from '../step/schedules.ts';
import { trainingChoices } from './choices.ts';
import { ENGINES, type EngineName } from './engines.ts';
import { make, type Named } from './named.ts';
import { checkParameters } from './parameters.ts';
import type { RatingPlan, Resolved } from './plan.ts';
import { checkRecipe, type ProgramRecipe, type TrainingChoices } from './recipe.ts';

/** Where training runs. */
export interface Environment {
  /** @default 'cpu' */
  readonly device?: string;
  /** Engines that are available. @default all */
  readonly engines?: readonly string[];
  /** Number of blocks in the file of ratings; absent if the ratings are in memory. */
  readonly storedIn?: BlockCounts;
  /** Whether some ratings are held out, to judge epochs by. @default false */
  readonly isJudged?: boolean;
}

type Choice = TrainingChoices;

/** Epochs of predicting ratings, where the recipe does not say. */
export const RATING_EPOCHS = 6;

/** Part of the epochs without a better validation error after which training stops, where the recipe does not say. */
const PATIENCE = 1 / 2;

/** From so many rows in all tables together, updating all of them in every step costs more than it gains. */
const LARGE_TABLES = 50_000;

/**
 * Makes every choice that a recipe leaves open for predicting ratings: the defaults of the table, and those that depend on the data or on the
 * environment. They predicted best in cross-validation on MovieLens.
 *
 * @throws UserError for an invalid choice
 */
export function resolve(recipe: ProgramRecipe, facts: DataFacts, environment: Environment = {}): Resolved {
  const { chosen, ...checked } = checkRecipe(recipe, facts.kind);
  const definition = checked.definition('rating');
  const engine = engineOf(chosen, facts, environment);
  checkEngine(engine, chosen, environment);
  const model = definition(facts, 'rating');
  checkParameters(model);
  const { learningRate: chosenRate, weightDecay, epochs = RATING_EPOCHS } = chosen;
  const { patience = environment.isJudged ? Math.ceil(PATIENCE * epochs) : undefined } = chosen;
  const { seed, loss, clip } = withDefaults(trainingChoices, chosen);
  const optimizer = optimizerOf(chosen.optimizer ?? defaultOptimizer(engine, environment), weightDecay);
  const tables = Object.values(model.parameters).filter(({ rowsOf }) => rowsOf);
  const dense = tables.length < Object.keys(model.parameters).length;
  const batchSize = chosen.batchSize ?? optimizer.defaults.batchSize(facts.ratings);
  const learningRate =
    chosenRate ??
    learned(model.name)?.learningRates?.[optimizer.name] ??
    optimizer.defaults.learningRate({ ratings: facts.ratings, batchSize, dense });
  const schedule = scheduleOf(
    {
      learningRate,
      ...namedOf(chosen.schedule ?? optimizer.defaults.schedule),
      ...(chosenRate && { learningRate }),
    },
    engine,
  );
  const training: RatingPlan = {
    objective: 'rating',
    seed,
    epochs,
    batchSize,
    loss,
    clip,
    ...(patience !== undefined && { patience }),
    sparseUpdates:
      sparseUpdatesFor(engine) ??
      chosen.sparseUpdates ??
      tables.reduce((sum, { dims }) => sum + dims[0], 0) > LARGE_TABLES,
    // Scales the loss to what it would be with ratings from 1 to 5.
    ...(optimizer.summed && { lossScale: (4 / (facts.high - facts.low)) ** losses[loss].power }),
    engine,
    ...(engine === 'strata' && { blocks: environment.storedIn ?? blockCounts(facts, chosen.blocks) }),
    optimizer: { name: optimizer.name, ...optimizer.config } as RatingPlan['optimizer'],
    schedule: { name: schedule.name, ...schedule.config } as RatingPlan['schedule'],
  };
  const plan = { model: { name: model.name, config: model.config }, training };
  return {
    ...{ plan, definition, model, optimizer, schedule },
    ...(clip && { clip: [facts.low, facts.high] }),
  };
}

function engineOf(chosen: Choice, facts: DataFacts, environment: Environment): EngineName {
  const { engine = trainingChoices.engine.default, blocks, sparseUpdates } = chosen;
  const { storedIn, device = 'cpu', engines = ENGINES } = environment;
  if (engine !== 'auto' && !engines.includes(engine))
    throw new UserError('argument', `the engine ${engine} does not run here; leave out ${option('engine')}`);
  if (storedIn) {
    if (engine !== 'auto' && engine !== 'strata')
      throw new UserError(
        'argument',
        `ratings in a file are trained by strata; leave out ${option('engine')}, or read them without ${option('store')}`,
      );
    if (blocks && String(blocks) !== String(storedIn))
      throw new UserError(
        'argument',
        `blocks is ${blocks}, but the ratings are stored in ${storedIn}; give ${option('blocks')} when they are read`,
      );
    return 'strata';
  }
  if (engine !== 'auto') return engine;
  const many = facts.ratings >= MANY && device === 'cpu' && sparseUpdates !== false;
  const byStrata = engines.includes('strata');
  if (blocks && !byStrata)
    throw new UserError(
      'argument',
      `blocks are for training by strata, which does not run here; leave out ${option('blocks')}`,
    );
  return blocks || (many && byStrata) ? 'strata' : 'epoch-graph';
}

/** @throws UserError if the engine does not support a choice */
export function checkEngine(
  engine: EngineName | 'auto',
  chosen: Choice,
  { device = 'cpu' }: Environment,
): void {
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
    `blocks are for training by strata; leave out ${option('blocks')}, or ${option(`engine: '${engine}'`)}`,
  );
  refuse(
    asked && sparseUpdates === false,
    `training by strata updates only the rows of a batch; leave out ${option('sparseUpdates: false')}`,
  );
  refuse(
    asked && away,
    `training by strata is for the CPU, not for ${device}; leave out ${option('device')}, or ${option('engine')}`,
  );
  refuse(
    byApi && away,
    `${api} trains in WebAssembly, on the CPU; leave out ${option('device')}, or ${option('engine')}`,
  );
  refuse(
    byApi && optimizerName !== undefined && optimizerName !== 'adamw',
    `${api} trains with adamw, not with ${optimizerName}; leave out ${option('optimizer')}, or train with the default engine`,
  );
  refuse(
    byApi && sparseUpdates === true,
    `${api} updates all rows at every step; leave out ${option('sparseUpdates')}, or train with the default engine`,
  );
}

const namedOf = (chosen: string | Named): Named => (typeof chosen === 'string' ? { name: chosen } : chosen);

/** AdamW where row-wise Adagrad is not available (the training API) or not tested (GPUs). */
const defaultOptimizer = (engine: EngineName, { device = 'cpu' }: Environment): keyof typeof optimizers =>
  device !== 'cpu' || engine === 'ort-training' ? 'adamw' : 'row-adagrad';

const optimizerOf = (chosen: string | Named, weightDecay?: number): Optimizer =>
  make(optimizers, { ...namedOf(chosen), ...(weightDecay !== undefined && { weightDecay }) });

function scheduleOf(named: Named, engine: EngineName): Schedule {
  const schedule = make(schedules, named);
  if (engine !== 'ort-training') return schedule;
  // The training API has a constant momentum: the middle of the schedule's.
  const { momentum, momentumLow } = schedule.config;
  const middle = Number(((momentum + (momentumLow ?? momentum)) / 2).toFixed(4));
  const momenta = { momentum: middle, ...(momentumLow !== undefined && { momentumLow: middle }) };
  return make(schedules, { name: schedule.name, ...schedule.config, ...momenta });
}

/** Whether an engine always or never uses sparse updates; undefined if it supports both. */
function sparseUpdatesFor(engine: EngineName): boolean | undefined {
  if (engine === 'strata') return true;
  return engine === 'ort-training' ? false : undefined;
}
