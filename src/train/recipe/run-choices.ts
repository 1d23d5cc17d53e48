import * as v from 'valibot';
import { DUPLICATES } from '../../data/dataset/repeats.ts';
import { SPLITS } from '../../data/dataset/split.ts';
import { PRECISIONS } from '../../onnx/compress.ts';
import { DEVICES } from '../../run/device-names.ts';
import { type Choices, type Chosen, grouped, type Kind, kinds } from '../../util/choices.ts';
import { recipeChoices } from './choices.ts';
import type { Recipe } from './recipe.ts';

/** Node, DuckDB and ONNX Runtime themselves take about 200 MB. */
const LEAST_MEMORY = 500e6;

/** The bytes of a size such as `1GB` or `512MB`; NaN for text that is not a size, or for a size that is too small. */
function bytesOf(size: unknown): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(String(size).trim()) ?? [];
  const bytes = Number(digits) * 1000 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
  return bytes >= LEAST_MEMORY ? bytes : Number.NaN;
}

const column = {
  schema: v.pipe(
    v.union([v.string(), kinds.count.schema], 'give the name of a column, or its number from 1'),
    v.transform(String),
  ),
  placeholder: 'column',
  parse: (text: string) => text,
};

const eventWeights: Kind<Readonly<Record<string, number>>> = {
  schema: v.record(
    v.pipe(v.string(), v.nonEmpty('give the name of a kind of events')),
    v.pipe(v.number('give a number for each kind of events, such as view=1,purchase=10'), v.finite()),
    'give a number for each kind of events, such as view=1,purchase=10',
  ),
  placeholder: 'event=weight',
  parse: (text) =>
    Object.fromEntries(
      text.split(',').map((one) => {
        const at = one.lastIndexOf('=');
        return [
          one.slice(0, at),
          at < 0 || one.slice(at + 1).trim() === '' ? undefined : Number(one.slice(at + 1)),
        ];
      }),
    ),
};

const events: Kind<readonly string[]> = {
  schema: v.pipe(
    v.array(v.pipe(v.string(), v.nonEmpty()), 'give the names of kinds of events'),
    v.minLength(1, 'give the names of kinds of events, such as purchase'),
  ),
  placeholder: 'events',
  parse: (text) => text.split(',').filter((name) => name !== ''),
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
    kind: { ...kinds.fraction, placeholder: 'fraction' },
    help: 'fraction of the ratings or interactions to hold out; the epoch that does best on them is kept',
  },
  split: { kind: kinds.oneOf(SPLITS, 'how'), help: 'which ones to hold out', otherwise: 'random' },
  ...grouped('Training', {
    workers: {
      kind: kinds.count,
      help: 'threads that train by strata, or trainings that run in parallel',
      otherwise: 'the number of cores',
    },
    memory: {
      kind: {
        schema: v.pipe(
          v.unknown(),
          v.check((size) => bytesOf(size) > 0, 'give a size of at least 500MB, such as "1GB"'),
          v.transform(bytesOf),
        ),
        placeholder: 'size',
        parse: (text: string) => text,
      },
      help: 'memory for reading many ratings, and for the weights of item-item, such as 1GB; the tables of other models need more',
      otherwise: '2GB',
    },
  }),
  ...grouped('Files', {
    titles: { kind: kinds.text('file'), help: 'table of item ids and titles, to store in the model' },
    keepSeen: {
      kind: kinds.flag,
      help: 'store which items each user has, so that recommendations leave them out (2 bytes each)',
    },
    quantize: {
      kind: kinds.oneOf(PRECISIONS.filter((name) => name !== 'float32') as ('float16' | 'int8')[], 'type'),
      help: 'smaller files: tables with half the bytes, or a quarter',
    },
    report: { kind: kinds.text('file'), help: 'write a report about the model, as cofactor report does' },
  }),
  ...grouped('Reading', {
    userColumn: { kind: column, help: 'column of user ids: its name, or its number from 1' },
    itemColumn: { kind: column, help: 'column of item ids' },
    ratingColumn: { kind: column, help: 'column of ratings; "" reads none' },
    timeColumn: { kind: column, help: 'column of times' },
    countColumn: {
      kind: column,
      help: 'column of how often, or for how long: plays, quantity, seconds; for interactions without ratings',
      otherwise: 'found by its usual names, if there are no ratings',
    },
    eventColumn: { kind: column, help: 'column of kinds of events, such as view and purchase' },
    eventWeights: {
      kind: eventWeights,
      help: 'weight of each kind of events, such as view=1,cart=3,purchase=10',
      otherwise: '1 each',
    },
    leaveOut: {
      kind: events,
      help: 'kinds of events, such as purchase, after which an item is not recommended again; they are stored in the model',
    },
    duplicates: {
      kind: kinds.oneOf(DUPLICATES, 'how'),
      help: 'what becomes of several rows with the same user and item',
      otherwise: 'last for ratings, sum for interactions',
    },
    minRatings: {
      kind: kinds.count,
      help: 'leave out users and items with fewer, until all have so many',
      otherwise: '1',
    },
    dropRating: {
      kind: kinds.number,
      help: 'a rating that means "not rated", such as 0; its rows are left out',
    },
    skipBadRows: { kind: kinds.flag, help: 'leave out rows that cannot be read, and say how many' },
    delimiter: { kind: kinds.text('text'), help: 'separator of fields; a space is any number of spaces' },
    header: { kind: kinds.flag, help: 'the first line names the columns', no: 'the first line is data' },
    encoding: {
      kind: kinds.text('name'),
      help: 'encoding of text files, such as windows-1252 or gbk',
      otherwise: 'UTF-8, or UTF-16 by its mark',
    },
    decimal: {
      kind: kinds.oneOf([',', '.'], 'mark'),
      help: 'the character before decimals',
      otherwise: 'a point, or a comma where it separates no fields',
    },
    wide: { kind: kinds.flag, help: 'the file is a matrix: a row for each user, a column for each item' },
    missing: { kind: kinds.text('value'), help: 'what stands in a matrix for what is not rated, such as 99' },
  }),
} as const satisfies Choices;

export type RunChoices = Chosen<typeof runChoices>;

/** All choices of `cofactor train`, and of its config file. */
export const allChoices: Choices = { ...recipeChoices, ...runChoices };

/** `export default { model: 'mlp', factors: 'auto' } satisfies CofactorConfig;` */
export type CofactorConfig = Recipe & Omit<RunChoices, 'memory'> & { readonly memory?: number | string };
