import * as v from 'valibot';
import { SPLITS } from '../../data/dataset/split.ts';
import { PRECISIONS } from '../../onnx/compress.ts';
import { DEVICES } from '../../run/device-names.ts';
import { type Choices, type Chosen, fileIn, grouped, type Kind, kinds } from '../../util/choices.ts';
import { sizeFrom } from '../../util/size-kind.ts';
import { recipeChoices } from './choices.ts';
import { readingChoices } from './reading-choices.ts';
import type { Recipe } from './recipe.ts';

/** A fraction to hold out, or false for none. */
const heldOut: Kind<number | false> = {
  schema: v.union([v.literal(false), kinds.fraction.schema], 'give a fraction between 0 and 1'),
  placeholder: 'fraction',
  parse: kinds.fraction.parse,
};

/** Choices of `cofactor train` beside its recipe. Other commands take some of them. */
export const runChoices = {
  device: {
    kind: kinds.oneOf(['auto', ...DEVICES]),
    help: 'device that executes models; auto is the GPU that `cofactor doctor` finds, or else the CPU. On the CPU the same seed gives the same bytes each time',
    default: 'cpu',
  },
  out: { kind: kinds.text('folder'), help: 'folder for the model', otherwise: 'artifacts/FILE-MODEL' },
  test: {
    kind: kinds.text('file'),
    help: 'ratings or interactions to judge the model on; they are not used in training',
  },
  valid: {
    kind: heldOut,
    help: 'fraction of the ratings or interactions to judge the recipe on: it is trained without them first, and then, with the epochs that were best, on everything',
    no: 'do not judge the recipe',
    otherwise: '0.1; of more than 5 million, 100,000, and the model is trained once, without them',
  },
  split: { kind: kinds.oneOf(SPLITS, 'how'), help: 'which ones to hold out', otherwise: 'random' },
  ...grouped('Training', {
    workers: {
      kind: kinds.count,
      help: 'threads that train by strata, or trainings that run in parallel',
      otherwise: 'the number of cores',
    },
    memory: {
      // Node, DuckDB and ONNX Runtime themselves take about 200 MB.
      kind: sizeFrom(500),
      help: 'memory for reading many ratings, and for the weights of item-item, such as 1GB; the tables of other models need more',
      otherwise: '2GB',
    },
  }),
  ...grouped('Files', {
    titles: { kind: kinds.text('file'), help: 'table of item ids and titles, to store in the model' },
    seen: {
      kind: kinds.flag,
      help: 'store which items each user has, so that recommendations leave them out (2 or 4 bytes each)',
      no: 'do not store which items each user has; recommendations then repeat them',
      otherwise: 'up to 50 million',
    },
    quantize: {
      kind: kinds.oneOf(PRECISIONS.filter((name) => name !== 'float32') as ('float16' | 'int8')[], 'type'),
      help: 'smaller files: tables with half the bytes, or a quarter',
    },
    report: { kind: fileIn('.html'), help: 'write a report about the model, as cofactor report does' },
  }),
  ...readingChoices,
} as const satisfies Choices;

export type RunChoices = Chosen<typeof runChoices>;

/** All choices of `cofactor train`, and of its config file. */
export const allChoices: Choices = { ...recipeChoices, ...runChoices };

/** `export default { model: 'mlp', factors: 'auto' } satisfies CofactorConfig;` */
export type CofactorConfig = Recipe & Omit<RunChoices, 'memory'> & { readonly memory?: number | string };
