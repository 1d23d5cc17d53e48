import * as v from 'valibot';
import { SPLITS } from '../../data/dataset/split.ts';
import { PRECISIONS } from '../../onnx/compress.ts';
import { DEVICES } from '../../run/device-names.ts';
import { type Choices, type Chosen, grouped, kinds } from '../../util/choices.ts';
import { recipeChoices } from './choices.ts';
import type { Recipe } from './recipe.ts';

/** Node, DuckDB and ONNX Runtime alone take about 200 MB. */
const LEAST_MEMORY = 500e6;

/** Bytes, for `1GB` or `512MB`; not a number for what is no size, or too small to read ratings in. */
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

/** What a training on the command line takes beside its recipe, and other commands a part of. */
export const runChoices = {
  device: {
    kind: kinds.oneOf(['auto', ...DEVICES]),
    help: 'what runs models; auto is the GPU that `cofactor doctor` finds, or else the CPU. On the CPU one seed gives the same bytes each time',
    default: 'cpu',
  },
  out: { kind: kinds.text('folder'), help: 'where the model goes', otherwise: 'artifacts/FILE-MODEL' },
  test: { kind: kinds.text('file'), help: 'ratings to report the error on; they take no part in training' },
  valid: {
    kind: { ...kinds.fraction, placeholder: 'fraction' },
    help: 'hold out this part of the ratings, which chooses the best epoch',
  },
  split: { kind: kinds.oneOf(SPLITS, 'how'), help: 'what --valid holds out', otherwise: 'random' },
  ...grouped('Training', {
    workers: {
      kind: kinds.count,
      help: 'threads, or trainings, that run side by side',
      otherwise: 'as many as there are cores',
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
      help: 'what reading many ratings may take, such as 1GB; the model’s tables come on top',
      otherwise: '2GB',
    },
  }),
  ...grouped('Files', {
    titles: { kind: kinds.text('file'), help: 'a table of item ids and titles, to keep in the model' },
    keepSeen: {
      kind: kinds.flag,
      help: 'keep what each user rated, so that recommendations leave it out (2 bytes a rating)',
    },
    quantize: {
      kind: kinds.oneOf(PRECISIONS.filter((name) => name !== 'float32') as ('float16' | 'int8')[], 'type'),
      help: 'smaller files: tables of half the bytes, or a quarter',
    },
    report: { kind: kinds.text('file'), help: 'write a page about the model, as cofactor report does' },
  }),
  ...grouped('Reading', {
    user: { kind: column, help: 'the column of user ids: its name, or its number from 1' },
    item: { kind: column, help: 'the column of item ids' },
    rating: { kind: column, help: 'the column of ratings' },
    time: { kind: column, help: 'the column of times' },
    delimiter: { kind: kinds.text('text'), help: 'what stands between fields' },
    header: { kind: kinds.flag, help: 'the first line names the columns', no: 'the first line is data' },
    encoding: { kind: kinds.oneOf(['utf-8', 'latin-1', 'utf-16']), help: 'of a text file' },
  }),
} as const satisfies Choices;

export type RunChoices = Chosen<typeof runChoices>;

/** All choices of `cofactor train`, and of its config file. */
export const allChoices: Choices = { ...recipeChoices, ...runChoices };

/** `export default { model: 'mlp', factors: 'auto' } satisfies CofactorConfig;` */
export type CofactorConfig = Recipe & Omit<RunChoices, 'memory'> & { readonly memory?: number | string };
