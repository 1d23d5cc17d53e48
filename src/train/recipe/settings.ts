import * as v from 'valibot';
import type { DataFacts, Model } from '../../../graphs/models/model.ts';
import { LARGE } from '../../data/dataset/stored.ts';
import { check, parts } from '../../util/schema.ts';
import { type LossName, losses } from '../step/losses.ts';
import { adamW, type Optimizer, rowAdagrad } from '../step/optimizers.ts';
import { cosine, oneCycle, type Schedule } from '../step/schedules.ts';

/** How a model is trained, all choices made. */
export interface Settings {
  readonly epochs: number;
  /** Ratings a step. */
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly loss: LossName;
  /** Update only the batch's rows of user and item tables, instead of all rows at every step. */
  readonly lazy: boolean;
  readonly seed: number;
  /** Stop after this many epochs without a better validation error. */
  readonly patience?: number;
  /** By what the loss is multiplied, where the optimizer takes the gradient of its sum over a batch. */
  readonly lossScale?: number;
  /** Its name, where it is not the default engine. */
  readonly engine?: string;
  /** By strata: how many blocks of users and of items there are, */
  readonly blocks?: readonly number[];
  /** and threads. */
  readonly workers?: number;
}

export interface SettingsOptions
  extends Partial<Omit<Settings, 'schedule' | 'engine' | 'lossScale' | 'blocks' | 'workers'>> {
  /** A schedule, or how to make one from the highest learning rate: `cosine`. */
  readonly schedule?: Schedule | ((config: { learningRate: number }) => Schedule);
  /** The highest learning rate; by default one that suits the optimizer and the model. */
  readonly learningRate?: number;
}

const schema = v.object({
  epochs: parts.count,
  batch: parts.count,
  loss: v.picklist(Object.keys(losses), `give one of ${Object.keys(losses).join(', ')}`),
  lazy: v.boolean('give true or false'),
  seed: parts.seed,
  patience: v.optional(parts.count),
});

/** Rows of all tables together above which moving each of them at every step costs more than it gains. */
const LARGE_TABLES = 50_000;

/** The highest learning rates that served each model well on MovieLens 100K; of all but row-adagrad, in batches of 64. */
const LEARNING_RATES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'row-adagrad': { 'dot-bias': 0.06, mlp: 0.06 },
  adamw: { 'dot-bias': 3e-3, mlp: 2e-3 },
  adam: { 'dot-bias': 2e-3, mlp: 2e-3 },
  adagrad: { 'dot-bias': 0.1, mlp: 0.1 },
  sgd: { 'dot-bias': 3, mlp: 0.3 },
  'sgd-momentum': { 'dot-bias': 0.3, mlp: 0.1 },
};

/** What was trained by before row-adagrad, and still is on GPUs, where that one has not been tried. */
export const ADAMW: SettingsOptions = { optimizer: adamW() };

/** Row-wise Adagrad's for many ratings, of which few epochs are enough where steps are long. */
const RATE_OF_MANY = 0.1;

/**
 * All choices: those given, and for the others what predicted best in cross-validations on MovieLens: six
 * epochs of row-wise Adagrad.
 *
 * @param facts how many ratings there are, the lowest, and the highest
 * @throws UserError for a choice that cannot be.
 */
export function settingsFor(
  model: Model,
  options: SettingsOptions,
  facts: Pick<DataFacts, 'ratings' | 'low' | 'high'> = { ratings: 80_000, low: 1, high: 5 },
): Settings {
  const { optimizer = rowAdagrad(), patience } = options;
  const { schedule = optimizer.summed ? cosine : oneCycle } = options;
  const rates = LEARNING_RATES[optimizer.name];
  // A model of one's own is by default taken to be like dot-bias.
  const usual =
    optimizer.summed && facts.ratings >= LARGE
      ? RATE_OF_MANY
      : (rates?.[model.name] ?? rates?.['dot-bias'] ?? 5e-3);
  const batch = options.batch ?? (optimizer.summed ? batchFor(facts.ratings) : 64);
  // The gradient is the mean over the batch: for a rating to count as much in a larger one, the rate must grow with it. But
  // dense layers, which every rating moves, would not bear it.
  const grows = optimizer.name === 'sgd' && model.name !== 'mlp' ? batch / 64 : 1;
  const learningRate = options.learningRate ?? usual * grows;
  const rows = Object.values(model.parameters).map(({ dims, rowsOf }) => (rowsOf ? dims[0] : 0));
  const settings = {
    epochs: options.epochs ?? 6,
    batch,
    optimizer,
    schedule: typeof schedule === 'function' ? schedule({ learningRate }) : schedule,
    loss: options.loss ?? 'mse',
    lazy: options.lazy ?? rows.reduce((sum, count) => sum + count, 0) > LARGE_TABLES,
    seed: options.seed ?? 1,
    ...(patience !== undefined && { patience }),
    ...(optimizer.summed && { lossScale: lossScale(options.loss ?? 'mse', facts) }),
  };
  check(schema, settings);
  return settings;
}

/** As many ratings as a step costs least for each, but of few ratings not so many that steps are too few. */
function batchFor(ratings: number): number {
  return Math.min(8192, 2 ** Math.max(4, Math.round(Math.log2(ratings / 160))));
}

/** So that a loss is what it is where ratings go from 1 to 5. */
function lossScale(loss: LossName, { low, high }: Pick<DataFacts, 'low' | 'high'>): number {
  const unit = 4 / (high - low);
  return loss === 'mse' ? unit ** 2 : unit;
}

/** Settings as plain JSON. */
export function describeSettings({ optimizer, schedule, ...settings }: Settings): Record<string, unknown> {
  return {
    ...settings,
    optimizer: { name: optimizer.name, ...optimizer.config },
    schedule: { name: schedule.name, ...schedule.config },
  };
}
