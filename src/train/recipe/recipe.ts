import * as v from 'valibot';
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { mlp } from '../../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../../graphs/models/model.ts';
import { UserError } from '../../errors.ts';
import { parts } from '../../util/schema.ts';
import { epochEngine } from '../engines/epoch/engine.ts';
import { losses } from '../step/losses.ts';
import { schedules } from '../step/schedules.ts';
import type { TrainOptions } from '../train.ts';
import { optimizers } from './of-manifest.ts';

export const oneOf = <const Choices extends readonly string[]>(choices: Choices) =>
  v.picklist(choices, `give one of ${choices.join(', ')}`);
const names = <Name extends string>(choices: Readonly<Record<Name, unknown>>) =>
  oneOf(Object.keys(choices) as Name[]);

/** What each choice of a recipe may be. */
export const recipeParts = {
  model: v.picklist(['dot-bias', 'mlp'], 'give dot-bias or mlp'),
  factors: v.union([parts.width, v.literal('auto')], 'give a whole number from 1, or auto for the MLP'),
  hidden: v.array(parts.width, 'give a list of widths'),
  dropout: v.array(parts.rate, 'give a list of rates from 0 to below 1'),
  range: parts.range,
  spread: parts.spread,
  spectral: parts.spectral,
  epochs: parts.count,
  batch: parts.count,
  learningRate: v.custom<number>(
    (value) => Number.isFinite(value) && Number(value) > 0,
    'give a number above 0',
  ),
  schedule: names(schedules),
  optimizer: names(optimizers),
  weightDecay: v.custom<number>((value) => Number.isFinite(value) && Number(value) >= 0, 'give 0 or more'),
  loss: names(losses),
  lazy: v.boolean('give true or false'),
  engine: v.picklist(['auto', 'epoch-graph', 'strata'], 'give auto, epoch-graph or strata'),
  seed: parts.seed,
};

/** A model and how it is trained, as plain JSON; what is left out takes its default. */
const schema = v.partial(v.strictObject(recipeParts));
export type Recipe = v.InferOutput<typeof schema>;

/**
 * The model of a recipe.
 *
 * @throws UserError for choices that the model does not have
 */
export function definitionOf({
  model,
  factors,
  hidden,
  dropout,
  range,
  spread,
  spectral,
}: Recipe): ModelDefinition {
  const common = defined({ factors, range, spread, spectral });
  if (model === 'mlp') return mlp({ ...common, ...defined({ hidden, dropout }) });
  if (hidden ?? dropout) throw new UserError('hidden and dropout are for the model mlp');
  if (factors === 'auto') throw new UserError('factors auto is for the model mlp; give dot-bias a number');
  return dotBias({ ...common, factors });
}

/**
 * What `train` takes, for a recipe.
 *
 * @param usual the optimizer of whatever trains it, which a weight decay alone is for
 */
export function trainOptionsOf(recipe: Recipe, usual: 'row-adagrad' | 'adamw' = 'row-adagrad'): TrainOptions {
  const {
    engine = 'auto',
    optimizer,
    weightDecay,
    schedule,
    epochs,
    batch,
    learningRate,
    loss,
    lazy,
    seed,
  } = recipe;
  const blocks = engine === 'strata' ? ('auto' as const) : undefined;
  return {
    epochs,
    batch,
    learningRate,
    loss,
    lazy,
    seed,
    blocks,
    schedule: schedule && schedules[schedule],
    optimizer:
      (optimizer ?? weightDecay) === undefined
        ? undefined
        : optimizers[optimizer ?? usual](defined({ weightDecay })),
    engine: engine === 'epoch-graph' ? epochEngine : undefined,
  };
}

function defined<T extends object>(values: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: NonNullable<T[Key]>;
  };
}
