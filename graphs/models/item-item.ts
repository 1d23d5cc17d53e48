import * as v from 'valibot';
import * as onnx from '../../src/onnx/index.ts';
import {
  add,
  concat,
  constant,
  gather,
  initializer,
  reshape,
  shapeOf,
  sub,
  type Value,
} from '../../src/onnx/index.ts';
import { type Choice, type Chosen, grouped, kinds, numeric } from '../../src/util/choices.ts';
import type { SolvedModel } from './built-in.ts';

const neighbors: Choice<number | 'all'> = {
  kind: {
    schema: v.union([v.literal('all'), kinds.count.schema], 'give a whole number from 1, or all'),
    placeholder: 'number',
    parse: (text) => (text === 'all' ? text : kinds.count.parse(text)),
  },
  help: 'number of weights to keep for each item, on average; all: every weight',
  otherwise: 'all up to 2,000 items; above, 100, or 600 where 100 are too few',
  objective: 'ranking',
};

const choices = grouped('Model', {
  regularization: {
    kind: numeric('give a number above 0, up to 100,000', (value) => value > 0 && value <= 1e5),
    help: 'how strongly weights are drawn to zero',
    otherwise: 'chosen from the data',
    objective: 'ranking',
    field: 4,
  } satisfies Choice<number>,
  neighbors,
});

/**
 * - `regularization`: λ, the penalty of squared weights. Default: chosen from the data.
 * - `neighbors`: number of weights to keep for each item, on average: the largest of all. Default: all up to 2,000 items;
 *   above, 100, or 600 where 100 are too few.
 */
export type ItemItemConfig = Chosen<typeof choices>;

/**
 * What each item that a user has adds to the scores of others: all weights, or the chunks of an item's weights one after the
 * other. The last row is that of unknown items, and of padding.
 */
export interface ItemWeights {
  readonly items: number;
  /** float[items + 1, items + 1], or float[chunks, CHUNK] */
  readonly values: Float32Array;
  readonly chunks?:
    | {
        /** Those of item i are from starts[i] to before starts[i + 1]; int32[items + 2] */
        readonly starts: Int32Array;
        /** The items whose scores the weights add to, padded with `items`; int32[chunks, CHUNK] */
        readonly neighbors: Int32Array;
      }
    | undefined;
}

/** Number of weights in a chunk. */
export const CHUNK = 32;

/**
 * The formula: the score of an item is the sum of its weights from what a user has. It is additive: what one item
 * contributes is the score for a list of that item alone.
 *
 * @param lists int64[n, m], m above 0: rows of what each of n users has; `items` is an unknown item
 * @returns float[n, items + 1]; the last column, of an unknown item, is of no use
 */
export function scoresOfLists(weights: ItemWeights, lists: Value): Value {
  const { items, values, chunks } = weights;
  const [n, m] = lists.dims;
  const flat = reshape(lists, [-1], [`${n}*${m}`], 'had');
  if (chunks) return sumsOfChunks(values, chunks, { items, lists, flat });
  const rows = gather(initializer('item_weights', 'float', [items + 1, items + 1], values), flat);
  const shape = concat([shapeOf(lists), constant([items + 1], 'int64')], 0);
  // The order in which this adds depends on m. Sums of weights that were float16 are exact in doubles, in any order.
  const exact = onnx.cast(reshape(rows, shape, [n, m, items + 1]), 'double');
  return onnx.cast(onnx.reduceSum(exact, { axes: [1] }), 'float', 'scores');
}

function sumsOfChunks(
  values: Float32Array,
  { starts, neighbors }: NonNullable<ItemWeights['chunks']>,
  { items, lists, flat }: { readonly items: number; readonly lists: Value; readonly flat: Value },
): Value {
  const [n] = lists.dims;
  const dims = [values.length / CHUNK, CHUNK];
  const begins = initializer('chunk_starts', 'int64', [starts.length], BigInt64Array.from(starts, BigInt));
  const begin = gather(begins, flat, 0, 'begin');
  const count = sub(gather(begins, add(flat, 1)), begin, 'chunk_count');
  // For memory's sake, as many as a typical item has.
  const chunk = rangesOf(begin, count, `${flat.dims[0]}*${Math.ceil(dims[0] / items)}`);
  const added = gather(initializer('item_weights', 'float', dims, values), chunk.number);
  const targets = gather(rowTable('neighbors', neighbors, dims, items), chunk.number);
  const users = onnx.slice(shapeOf(lists), 0, 1, { name: 'users' });
  // All users' scores in one row: the first element of each user's.
  const first = onnx.mul(onnx.unsqueeze(onnx.rowNumbers(lists), [1]), items + 1);
  const ofPair = reshape(add(first, onnx.zerosLike(lists)), [-1], flat.dims, 'first_of_user');
  const at = add(onnx.cast(targets, 'int64'), onnx.unsqueeze(gather(ofPair, chunk.owner), [1]), 'at');
  const none = onnx.full(onnx.mul(users, items + 1), 0, 'float', { dims: [`${n}*${items + 1}`] });
  const sums = onnx.scatterElements(none, reshape(at, [-1]), reshape(added, [-1]), { reduction: 'add' });
  return reshape(sums, [-1, items + 1], [n, items + 1], 'scores');
}

/**
 * The numbers of ranges, one range after the other, and of which range each is: int64[`dim`].
 *
 * @param begin int64[r]: the first number of each range
 * @param count int64[r]: how many numbers it has
 */
function rangesOf(
  begin: Value,
  count: Value,
  dim: string,
): { readonly number: Value; readonly owner: Value } {
  const before = onnx.exclusiveSum(count, 'before');
  const total = onnx.reduceSum(count, {}, 'total');
  // How many ranges begin at each place; ranges without numbers at the end begin after the last one.
  const places = onnx.full(add(reshape(total, [1]), 1), 0, 'int64', { dims: [`${dim}+1`] });
  const begun = onnx.scatterElements(places, before, onnx.fullLike(before, 1), { reduction: 'add' });
  const upTo = onnx.slice(onnx.exclusiveSum(begun), constant([1], 'int64'), add(reshape(total, [1]), 1), {
    dim,
  });
  const owner = sub(upTo, 1, 'owner');
  return { number: add(gather(sub(begin, before), owner), onnx.range(total, dim), 'number'), owner };
}

/** A table of row numbers, as small as they allow. Elements that are not given are `items`. */
export function rowTable(
  name: string,
  rows: ArrayLike<number>,
  dims: readonly number[],
  items: number,
): Value {
  const small = items < 2 ** 16;
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = new (small ? Uint16Array : Int32Array)(size).fill(items);
  data.set(rows);
  return initializer(name, small ? 'uint16' : 'int32', dims, data);
}

export const itemItemModel = {
  isSolved: true,
  title: 'Items that go together',
  about:
    'Weights between items, from which of them the same people have. Computed at once, without epochs, and only to recommend.',
  formula: {
    ranking:
      'Each item that a user has adds a weight to the scores of others. The weights are those that predict best, from what else users have, whether they have an item.',
  },
  choices,
  rankingSearch: { regularization: { from: 10, to: 2000 } },
} satisfies SolvedModel;
