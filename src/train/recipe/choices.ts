import * as v from 'valibot';
import { models } from '../../../graphs/models/index.ts';
import { type Choice, type Choices, grouped, type Kind, kinds } from '../../util/choices.ts';
import { losses } from '../step/losses.ts';
import { optimizers } from '../step/optimizers/index.ts';
import { schedules } from '../step/schedules.ts';
import { ENGINES } from './engines.ts';
import { named } from './named.ts';

// Every choice of a recipe is here, or in the file of its model if it is a hyperparameter of a model. Flags, config files,
// the options of programs and pages, and the page's form follow from this table. `resolve` applies the defaults.

/** The choices of a recipe, without those of its model. */
export const trainingChoices = {
  model: { kind: kinds.nameIn(models), help: 'model to train', default: 'dot-bias' },
  seed: {
    kind: kinds.whole(0),
    help: 'seed of all random numbers: the same seed gives the same bytes',
    default: 1,
    field: 9,
  },
  ...grouped('Training', {
    epochs: { kind: kinds.count, help: 'number of epochs: passes over the ratings', default: 6, field: 1 },
    batchSize: {
      kind: kinds.count,
      help: 'ratings per step',
      otherwise: 'for row-adagrad 16 to 8192, chosen from the number of ratings; else 64',
    },
    learningRate: {
      kind: kinds.positive,
      help: 'the highest learning rate',
      otherwise: '0.06 for row-adagrad, 0.1 with many ratings; else by optimizer and model',
    },
    schedule: {
      kind: named(schedules),
      help: 'learning rate schedule',
      otherwise: 'cosine for row-adagrad, else one-cycle',
    },
    optimizer: {
      kind: named(optimizers),
      help: 'optimizer',
      otherwise: 'row-adagrad; adamw on GPUs and with the training API',
    },
    weightDecay: {
      kind: kinds.notNegative,
      help: 'weight decay',
      otherwise: '0.03 for row-adagrad, 0.1 for adamw, 0 for the others',
    },
    loss: { kind: kinds.nameIn(losses), help: 'loss to minimize', default: 'mse' },
    sparseUpdates: {
      kind: kinds.flag,
      help: 'update only the rows of a batch',
      no: 'update all rows at every step',
      otherwise: 'for tables of over 50,000 rows',
    },
    engine: {
      kind: kinds.oneOf(['auto', ...ENGINES]),
      help: 'what trains: one graph with many steps per run, the same by strata (blocks of users and items) on all cores, or ONNX Runtime’s training API; auto is strata from 500,000 ratings on',
      default: 'auto',
    },
    blocks: {
      kind: kinds.counts,
      help: 'number of blocks of users and items, for training by strata',
      otherwise: 'chosen from the data',
      only: 'train',
    },
    patience: {
      kind: kinds.count,
      help: 'stop after so many epochs without a better validation error',
      only: 'train',
    },
  }),
} as const satisfies Choices;

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
