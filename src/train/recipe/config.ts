import * as v from 'valibot';
import { DEVICES } from '../../run/devices.ts';
import { parts } from '../../util/schema.ts';
import { oneOf, recipeParts } from './recipe.ts';

const text = v.pipe(v.string('give a text'), v.nonEmpty('give a text'));
const flag = v.boolean('give true or false');
const column = v.pipe(
  v.union([v.string(), parts.count], 'give the name of a column, or its number from 1'),
  v.transform(String),
);

/** Node, DuckDB and ONNX Runtime alone take about 200 MB. */
const LEAST_MEMORY = 500e6;

/** Bytes, for `1GB` or `512MB`; not a number for what is no size, or too small to read ratings in. */
export function bytesOf(size: number | string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(String(size).trim()) ?? [];
  const bytes = Number(digits) * 1000 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
  return bytes >= LEAST_MEMORY ? bytes : Number.NaN;
}

/** What a configuration file may hold: the choices of `cofactor train`, by the names of its flags. */
export const configSchema = v.partial(
  v.strictObject({
    ...recipeParts,
    engine: oneOf(['auto', 'epoch-graph', 'strata', 'ort-training']),
    device: oneOf(['auto', ...DEVICES]),
    out: text,
    test: text,
    valid: v.custom<number>(
      (value) => typeof value === 'number' && value > 0 && value < 1,
      'give a fraction between 0 and 1',
    ),
    split: oneOf(['random', 'time', 'leave-last-out']),
    patience: parts.count,
    workers: parts.count,
    blocks: v.strictTuple(
      [parts.count, parts.count],
      'give two whole numbers, for users and items, such as [4, 4]',
    ),
    memory: v.pipe(
      v.custom<number | string>(
        (size) => bytesOf(String(size)) > 0,
        'give a size of at least 500MB, such as "1GB"',
      ),
      v.transform(bytesOf),
    ),
    titles: text,
    keepSeen: flag,
    quantize: oneOf(['float16', 'int8']),
    report: text,
    user: column,
    item: column,
    rating: column,
    time: column,
    delimiter: text,
    header: flag,
    encoding: oneOf(['utf-8', 'latin-1', 'utf-16']),
  }),
);

/** `export default { model: 'mlp', factors: 'auto' } satisfies CofactorConfig;` */
export type CofactorConfig = v.InferInput<typeof configSchema>;
