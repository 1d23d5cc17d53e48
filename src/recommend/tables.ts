import * as v from 'valibot';
import { parseJson } from '../artifact/damage.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { UserError } from '../errors.ts';

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// Not v.record, which leaves out ids such as "constructor".
const titles = v.custom<Readonly<Record<string, string>>>(
  (value) => isObject(value) && Object.values(value).every((title) => typeof title === 'string'),
  'is no object of titles by item id',
);

const texts = v.array(v.string('is no text'), 'is no list');
// Infinity is what JSON.parse makes of 1e400.
const numbers = v.array(
  v.custom<number>((value) => Number.isFinite(value), 'is no finite number'),
  'is no list',
);

const items = v.pipe(
  v.custom<object>(isObject, 'is no object of columns'),
  v.object(
    {
      item: texts,
      count: v.optional(numbers),
      /** The name of `count` up to format 3. */
      ratings: v.optional(numbers),
      average: v.optional(numbers),
      genres: v.optional(v.array(texts, 'is no list')),
    },
    'is missing',
  ),
  v.check(
    ({ item, ratings = [], count = ratings, average = count, genres = item }) =>
      [count, average, genres].every(({ length }) => length === item.length),
    'its columns differ in length',
  ),
);

/** Facts about an item from the training data. */
export interface Item {
  readonly item: string;
  /** Number of ratings, or of users who have the item. */
  readonly count: number;
  /** The mean rating; absent where there are no ratings. */
  readonly average?: number;
  readonly genres?: readonly string[];
}

/**
 * Titles by item id, from `titles.json`; empty if the artifact has none.
 *
 * @throws UserError if the file is broken
 */
export const titlesOf = (artifact: Artifact): ReadonlyMap<string, string> =>
  new Map(Object.entries(tableOf(artifact, 'titles.json', titles) ?? {}));

/**
 * All items, from the columns of `items.json`; empty if the artifact has none.
 *
 * @throws UserError if the file is broken
 */
export function itemsOf(artifact: Artifact): Item[] {
  const columns = tableOf(artifact, 'items.json', items);
  if (!columns) return [];
  const { length } = columns.item;
  if (length !== artifact.manifest.data.items)
    throw new UserError(
      'model',
      `items.json: has ${length} items where the model has ${artifact.manifest.data.items}; ${AGAIN}`,
    );
  const { item, ratings = [], count = ratings, average, genres } = columns;
  return item.map((id, row) => ({
    item: id,
    count: count[row],
    ...(average && { average: average[row] }),
    ...(genres && { genres: genres[row] }),
  }));
}

const AGAIN = 'train the model again';

function tableOf<Schema extends v.GenericSchema>(
  { files }: Artifact,
  name: string,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  if (!files[name]) return undefined;
  const { success, output, issues } = v.safeParse(schema, parseJson(files[name], name, AGAIN));
  if (success) return output;
  const path = v.getDotPath(issues[0]);
  throw new UserError('model', `${name}: ${path === null ? '' : `${path}: `}${issues[0].message}; ${AGAIN}`);
}
