import * as v from 'valibot';
import { type Choice, type Choices, kinds } from '../../src/util/choices.ts';
import type { Decay } from './list-loss.ts';
import type { ModelDefinition, Objective } from './model.ts';

/** The values that a search tries: a range of numbers, sampled log-uniformly, or a list. */
export type SearchRange =
  | { readonly from: number; readonly to: number; readonly whole?: boolean }
  | readonly unknown[];

/** What every model that comes with the package has. Its file holds everything that is specific to it. */
interface Described {
  /** Name for people. */
  readonly title: string;
  /** One or two sentences for someone who chooses a model. */
  readonly about: string;
  /** How it predicts a rating, or scores an item, for someone who looks at a trained model. */
  readonly formula: Readonly<Partial<Record<Objective, string>>>;
  /** Its hyperparameters: part of every recipe that names the model. */
  readonly choices: Choices;
  /** Whether the bias of an item is only a part of how well it is liked, because a network adds to it. @default false */
  readonly biasIsPart?: boolean;
  /** Search space of `cofactor tune` for ranking. Hyperparameters that are not listed keep their defaults. */
  readonly rankingSearch: Readonly<Record<string, SearchRange>>;
}

/** A model that is computed in closed form, without steps of training. It only ranks. */
export interface SolvedModel extends Described {
  readonly isSolved: true;
}

/** A model that is learned by gradients. */
export interface BuiltInModel extends Described {
  readonly isSolved?: false;
  /** Learning rates at the peak of the schedule, by optimizer. @default the optimizer's own default */
  readonly learningRates?: Readonly<Record<string, number>>;
  /** Its settings for ranking, where they are not those of `RANKING`. */
  readonly ranking?: Partial<RankingSettings>;
  /** The same for data that have `MANY` positives. */
  readonly rankingOfMany?: Partial<RankingSettings>;
  /** The search space for predicting ratings. */
  readonly search: Readonly<Record<string, SearchRange>>;
  /** @throws UserError for an invalid choice */
  define(config: Readonly<Record<string, unknown>>): ModelDefinition;
}

/** How a model learns to rank. */
export interface RankingSettings {
  readonly epochs: number;
  readonly learningRate: number;
  /**
   * Number of positives from which the learning rate is the full one. With fewer it is down to half of it, because large steps
   * follow chance: on 16 sets of 1,000 to 11,000 positives, NDCG changed by −1.5 to 9.1 %, by 1.6 % on average.
   */
  readonly fullRateFrom: number;
  /** Factor of the learning rate of users' rows. @default 1 */
  readonly userRate?: number | undefined;
  /** Weight decay of a user's row and of an item's row, by the number of its positives. */
  readonly userDecay: Decay;
  readonly itemDecay: Decay;
}

/** Tuned for dot-bias by validation on MovieLens 100K and latest-small, and about best on five other sets. */
export const RANKING: RankingSettings = {
  epochs: 12,
  learningRate: 0.1,
  fullRateFrom: 16_000,
  userDecay: [0.5, 0.5],
  itemDecay: [0.2, 0.75],
};

/** Choices that several models share. */
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
    help: 'number of factors of a user and an item, or auto for the MLP',
    field: 2,
  } satisfies Choice<number | 'auto' | [number, number]>,
  range: {
    kind: kinds.range,
    help: 'lowest and highest rating of the model before clipping, such as 0,5.5',
    otherwise: 'a little wider than the data',
    objective: 'rating',
  } satisfies Choice<readonly [number, number]>,
  initialStd: {
    kind: kinds.notNegative,
    help: 'initial standard deviation of the factors',
  } satisfies Choice<number>,
  spectral: {
    kind: kinds.scales,
    help: 'scale of the spectral initialisation of the factors',
  } satisfies Choice<readonly [number, number]>,
} as const;

/**
 * Search space of predicting ratings that all models share. It has no batch size, because row-adagrad does about as well with
 * any.
 */
export const commonSearch = {
  factors: { from: 16, to: 128, whole: true },
  epochs: { from: 3, to: 12, whole: true },
  learningRate: { from: 0.02, to: 0.2 },
  weightDecay: { from: 0.01, to: 0.1 },
  initialStd: { from: 3e-3, to: 0.1 },
} as const;

/**
 * Search space of ranking that all models share. It has no weight decay, because the rule of `RankingSettings` was about best
 * on all data sets that were tried.
 */
export const commonRankingSearch = {
  rankingFactors: { from: 16, to: 256, whole: true },
  rankingEpochs: { from: 3, to: 24, whole: true },
  rankingLearningRate: { from: 0.02, to: 0.3 },
} as const;
