import * as v from 'valibot';
import type { BuiltInModel, SolvedModel } from '../../../graphs/models/built-in.ts';
import { type ModelName, models } from '../../../graphs/models/index.ts';
import { type Choice, type Choices, grouped, type Kind, kinds } from '../../util/choices.ts';
import { mapValues } from '../../util/map-values.ts';
import { losses } from '../step/losses.ts';
import { optimizers } from '../step/optimizers/index.ts';
import { schedules } from '../step/schedules.ts';
import { ENGINES } from './engines.ts';
import { named } from './named.ts';

// Every choice of a recipe is here, or in the file of its model if it is a hyperparameter of a model. Flags, config files,
// the options of programs and pages, and the page's form follow from this table. `resolve` applies the defaults.

const positive: Kind<number | 'all'> = {
  schema: v.union([v.literal('all'), kinds.number.schema], 'give a rating, or all'),
  placeholder: 'rating',
  parse: (text) => (text === 'all' ? text : kinds.number.parse(text)),
};

const negatives: Kind<number | 'all'> = {
  schema: v.union([v.literal('all'), kinds.count.schema], 'give a whole number from 1, or all'),
  placeholder: 'number',
  parse: (text) => (text === 'all' ? text : kinds.count.parse(text)),
};

/** Choices of how a model is learned by gradients. */
const byGradient = <const Table extends Choices>(table: Table): Table =>
  mapValues(grouped('Training', table), (choice) => ({ ...choice, byGradient: true })) as Choices as Table;

/** The choices of a recipe, without those of its model. */
export const trainingChoices = {
  model: {
    kind: kinds.nameIn(models),
    help: 'model to train; item-item is EASE, weights between items',
    default: 'dot-bias',
  },
  objective: {
    kind: kinds.oneOf(['auto', 'both', 'rating', 'ranking']),
    help: 'what to learn: rating predicts ratings, ranking recommends what users like, both does each in its own part of the model; auto is both for ratings, ranking for interactions and for item-item',
    default: 'auto',
    field: 8,
  },
  seed: {
    kind: kinds.whole(0),
    help: 'seed of all random numbers: the same seed gives the same bytes',
    default: 1,
    field: 9,
  },
  ...grouped('Training', {
    positive: {
      objective: 'ranking',
      kind: positive,
      help: 'the lowest rating, or strength of an interaction, that counts as liking an item; all: every one counts',
      otherwise: 'the start of the last quarter of the scale, such as 4 of 1 to 5; all interactions',
    },
    weights: {
      objective: 'ranking',
      kind: kinds.oneOf(['log', 'none']),
      help: 'how much counts of interactions weigh: log, half alike and half by log(1 + count); none, all alike',
      otherwise: 'log, or none where the counts do not follow tastes',
    },
  }),
  ...byGradient({
    epochs: {
      kind: kinds.count,
      help: 'number of epochs: passes over the data',
      otherwise: '6 to predict ratings; 12 to rank, 8 by many positives, 5 with the MLP',
      field: 1,
    },
    batchSize: {
      objective: 'rating',
      kind: kinds.count,
      help: 'ratings per step',
      otherwise: 'for row-adagrad 16 to 8192, chosen from the number of ratings; else 64',
    },
    learningRate: {
      kind: kinds.positive,
      help: 'the highest learning rate; with the objective both, that of predicting ratings',
      otherwise:
        '0.06 for row-adagrad, 0.1 with many ratings, 0.08 for the MLP; else by optimizer and model; to rank 0.1 or, with few positives, less; 0.05 with the MLP',
    },
    schedule: {
      objective: 'rating',
      kind: named(schedules),
      help: 'learning rate schedule',
      otherwise: 'cosine for row-adagrad, else one-cycle',
    },
    optimizer: {
      objective: 'rating',
      kind: named(optimizers),
      help: 'optimizer',
      otherwise: 'row-adagrad; adamw on GPUs and with the training API',
    },
    weightDecay: {
      objective: 'rating',
      kind: kinds.notNegative,
      help: 'weight decay',
      otherwise: '0.015 for row-adagrad, 0.1 for adamw, 0 for the others',
    },
    loss: { objective: 'rating', kind: kinds.nameIn(losses), help: 'loss to minimize', default: 'mse' },
    clip: {
      objective: 'rating',
      kind: kinds.flag,
      help: 'clip predictions to the scale: the lowest to the highest rating of the data',
      no: 'let predictions leave the scale, within the range of the model',
      default: true,
    },
    sparseUpdates: {
      objective: 'rating',
      kind: kinds.flag,
      help: 'update only the rows of a batch',
      no: 'update all rows at every step',
      otherwise: 'for tables of over 50,000 rows',
    },
    engine: {
      objective: 'rating',
      kind: kinds.oneOf(['auto', ...ENGINES]),
      help: 'what trains: one graph with many steps per run, the same by strata (blocks of users and items) on all cores, or ONNX Runtime’s training API; auto is strata from 500,000 ratings on',
      default: 'auto',
    },
    blocks: {
      objective: 'rating',
      kind: kinds.counts,
      help: 'number of blocks of users and items, for training by strata',
      otherwise: 'chosen from the data',
      only: 'train',
    },
    patience: {
      kind: kinds.count,
      help: 'stop after so many epochs that are no better on what is held out',
      otherwise: 'half of the epochs to predict ratings, where some are held out',
      only: 'train',
    },
    rankingFactors: {
      objective: 'ranking',
      kind: kinds.width,
      help: 'number of factors to rank with',
      otherwise: 'factors, or what the data allow: 256, 128 for the MLP, less for large data',
    },
    rankingEpochs: {
      objective: 'ranking',
      kind: kinds.count,
      help: 'number of epochs to rank',
      otherwise: 'epochs',
    },
    rankingLearningRate: {
      objective: 'ranking',
      kind: kinds.positive,
      help: 'the highest learning rate to rank with',
      otherwise: '0.1, less with fewer than 16,000 positives; 0.05 for the MLP',
    },
    usersPerStep: {
      objective: 'ranking',
      kind: kinds.count,
      help: 'users per step of ranking',
      otherwise: '64 to 1024, chosen from the number of users',
    },
    negatives: {
      objective: 'ranking',
      kind: negatives,
      help: 'number of sampled items that each step ranks the positives against; all: the whole catalogue',
      otherwise: 'all, or as many as large data allow',
    },
  }),
} as const satisfies Choices;

/** The choices that a built-in model takes, by name: its own, and those of its training. */
export function choicesFor(model: ModelName): Choices {
  const { choices, isSolved }: BuiltInModel | SolvedModel = models[model];
  const training = Object.entries<Choice>(trainingChoices).filter(
    ([, choice]) => !(isSolved && choice.byGradient),
  );
  return { ...Object.fromEntries(training), ...choices };
}

/** The choices of all models, by name: each takes the values that any of the models takes, and has all their defaults. */
export const modelChoices: Choices = merged(Object.entries(models));

function merged(all: readonly (readonly [string, { readonly choices: Choices }])[]): Choices {
  const names = new Set(all.flatMap(([, { choices }]) => Object.keys(choices)));
  return Object.fromEntries(
    Array.from(names, (name): [string, Choice] => {
      const own = all.flatMap(([model, { choices }]) => (choices[name] ? [{ model, ...choices[name] }] : []));
      const texts = own.map((choice) => defaultText(choice));
      const otherwise =
        new Set(texts).size > 1
          ? own.map(({ model }, index) => `${index ? `${model}: ` : ''}${texts[index]}`).join('; ')
          : texts[0];
      const few = own.length < all.length ? `${own.map(({ model }) => model).join(', ')}: ` : '';
      const help = `${few}${own[0].help}`;
      return [
        name,
        { ...own[0], kind: either(own.map(({ kind }) => kind)), help, default: undefined, otherwise },
      ];
    }),
  );
}

/** A kind that takes the values of any of some kinds. The message is that of the last. */
function either(kinds: readonly Kind<unknown>[]): Kind<unknown> {
  const last = kinds[kinds.length - 1];
  if (new Set(kinds).size === 1) return last;
  const schema = v.custom<unknown>(
    (value) => kinds.some(({ schema }) => v.is(schema, value)),
    ({ input }) => v.safeParse(last.schema, input).issues?.[0].message ?? '',
  );
  return { ...last, schema };
}

/** A default in words; undefined if there is none. */
export function defaultText({ default: value, otherwise }: Choice): string | undefined {
  return otherwise ?? (value === undefined ? undefined : String(value));
}

const { model, seed, ...others } = trainingChoices;

/** All choices of a recipe, in the order of the help. */
export const recipeChoices: Choices = { model, seed, ...modelChoices, ...others };
