import * as v from 'valibot';
import { type Choice, type Choices, kinds } from '../../src/util/choices.ts';
import type { ModelDefinition } from './model.ts';

/** Where a search looks for a value: between two numbers, as likely in each decade, or among some. */
export type SearchRange =
  | { readonly from: number; readonly to: number; readonly whole?: boolean }
  | readonly unknown[];

/** A model that comes with the package: all that is known of it stands in its file. */
export interface BuiltInModel {
  /** What people call it. */
  readonly title: string;
  /** What it is, in a sentence or two, for someone who chooses one. */
  readonly about: string;
  /** How it comes to a rating, for someone who looks at a trained one. */
  readonly formula: string;
  /** Its own choices: a part of every recipe that names it. */
  readonly choices: Choices;
  /** Highest learning rates that serve it better than the optimizers' own defaults, by optimizer. */
  readonly learningRates?: Readonly<Record<string, number>>;
  /** Where `cofactor tune` looks for its hyperparameters; what is not here keeps its default. */
  readonly search: Readonly<Record<string, SearchRange>>;
  /** @throws UserError for choices that cannot be */
  define(config: Readonly<Record<string, unknown>>): ModelDefinition;
}

/** Choices that several models have. */
export const common = {
  factors: {
    kind: {
      ...kinds.width,
      schema: v.union(
        [kinds.width.schema, v.literal('auto'), v.tuple([kinds.width.schema, kinds.width.schema])],
        'give a width, or one for users and one for items, or auto',
      ),
      parse: (text) => {
        if (text === 'auto') return text;
        const widths = text.split(',').map(kinds.width.parse);
        return widths.length === 1 ? widths[0] : widths;
      },
    },
    help: 'length of a user’s and an item’s vector, or auto for the MLP',
    field: 2,
  } satisfies Choice<number | 'auto' | [number, number]>,
  range: {
    kind: kinds.range,
    help: 'the lowest and highest rating the model can give, such as 0,5.5',
    otherwise: 'a little wider than the data',
  } satisfies Choice<readonly [number, number]>,
  initialStd: {
    kind: kinds.notNegative,
    help: 'standard deviation of the initial random factors',
    default: 0.01,
  } satisfies Choice<number>,
  spectral: {
    kind: kinds.scales,
    help: 'scale of the spectral initialisation of the factors',
  } satisfies Choice<readonly [number, number]>,
} as const;

/** Hyperparameters that are searched for every model, with row-adagrad, by which batches of any size come to the same. */
export const commonSearch = {
  factors: { from: 16, to: 128, whole: true },
  epochs: { from: 3, to: 12, whole: true },
  learningRate: { from: 0.02, to: 0.2 },
  weightDecay: { from: 0.01, to: 0.1 },
  initialStd: { from: 3e-3, to: 0.1 },
} as const;
