import * as v from 'valibot';
import * as onnx from '../../src/onnx/index.ts';
import { concat, gather, initializer, reshape, shapeOf, type Value } from '../../src/onnx/index.ts';
import { type Choice, type Chosen, grouped, kinds } from '../../src/util/choices.ts';
import type { SolvedModel } from './built-in.ts';

const neighbors: Choice<number | 'all'> = {
  kind: {
    schema: v.union([v.literal('all'), kinds.count.schema], 'give a whole number from 1, or all'),
    placeholder: 'number',
    parse: (text) => (text === 'all' ? text : kinds.count.parse(text)),
  },
  help: 'number of weights to keep of each item',
  otherwise: 'all of up to 2,000 items, else 200',
  objective: 'ranking',
};

const choices = grouped('Model', {
  regularization: {
    kind: kinds.positive,
    help: 'how strongly weights are drawn to zero',
    otherwise: 'chosen from the data',
    objective: 'ranking',
  } satisfies Choice<number>,
  neighbors,
});

/**
 * - `regularization`: λ, the penalty of squared weights. Default: chosen from the data.
 * - `neighbors`: number of weights to keep of each item. Default: all of up to 2,000 items, else 200.
 */
export type ItemItemConfig = Chosen<typeof choices>;

/** What each item that a user has adds to the scores of others. The last row, of zeros, is that of unknown items. */
export interface ItemWeights {
  readonly items: number;
  /** float[items + 1, width] */
  readonly values: Float32Array;
  /** The items whose scores they add to, int32[items + 1, width]. Default: of every row, all items and an unknown one */
  readonly neighbors?: Int32Array | undefined;
}

/**
 * The formula: the score of an item is the sum of its weights from what a user has. It is additive: what one item
 * contributes is the score for a list of that item alone.
 *
 * @param lists int64[n, m], m above 0: rows of what each of n users has; `items` is an unknown item
 * @returns float[n, items + 1]; the last column, of an unknown item, is of no use
 */
export function scoresOfLists({ items, values, neighbors }: ItemWeights, lists: Value): Value {
  const [n, m] = lists.dims;
  const dims = [items + 1, values.length / (items + 1)];
  const flat = reshape(lists, [-1], [`${n}*${m}`], 'had');
  const weights = gather(initializer('item_weights', 'float', dims, values), flat);
  if (!neighbors) {
    const shape = concat([shapeOf(lists), onnx.constant([-1], 'int64')], 0);
    // The order in which this adds depends on m. Sums of weights that were float16 are exact in doubles, in any order.
    const exact = onnx.cast(reshape(weights, shape, [n, m, dims[1]]), 'double');
    return onnx.cast(onnx.reduceSum(exact, { axes: [1] }), 'float', 'scores');
  }
  const targets = gather(rowTable('neighbors', neighbors, dims, items), flat);
  const users = onnx.slice(shapeOf(lists), 0, 1);
  const perUser = (flat: Value): Value =>
    reshape(flat, concat([users, onnx.constant([-1], 'int64')], 0), [n, `${m}*${dims[1]}`]);
  const none = onnx.full(concat([users, onnx.constant([items + 1], 'int64')], 0), 0, 'float', {
    dims: [n, items + 1],
  });
  const indices = onnx.cast(perUser(targets), 'int64', 'neighbor');
  return onnx.scatterElements(none, indices, perUser(weights), { axis: 1, reduction: 'add', name: 'scores' });
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
    'Weights between items, from which of them the same people have. No steps of training; for rankings alone.',
  formula: {
    ranking:
      'Each item that a user has adds a weight to the scores of others. The weights are those that best tell each item of all users from the rest of what they have.',
  },
  choices,
  rankingSearch: { regularization: { from: 10, to: 2000 } },
} satisfies SolvedModel;
