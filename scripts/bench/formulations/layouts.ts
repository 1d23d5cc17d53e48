/** Steps of matrix factorization that training does not take: written by hand, or made from another. */
import type { DotBiasConfig } from '../../../graphs/models/dot-bias.ts';
import { type Model, noDropout } from '../../../graphs/models/model.ts';
import {
  add,
  buildModel,
  cast,
  div,
  gather,
  gatherElements,
  initializer,
  input,
  type ModelFile,
  matmul,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  scatterElements,
  scatterRows,
  sigmoid,
  sizeOf,
  slice,
  sqrt,
  squeeze,
  sub,
  unsqueeze,
  type Value,
} from '../../../src/onnx/index.ts';
import { type Batch, carriedInputs, type Layout } from '../../../src/train/step/layout.ts';
import type { Optimizer } from '../../../src/train/step/optimizers/optimizer.ts';
import { rowAdagrad } from '../../../src/train/step/optimizers/row-adagrad.ts';
import { sgd } from '../../../src/train/step/optimizers/sgd.ts';

export type DotBias = Model & { readonly config: Required<DotBiasConfig> };
type Tables = Readonly<Record<string, Value>>;
type Side = 'user' | 'item';

/** As rowAdagrad has it. */
const FACTOR_SQUARE = 0.003;

function handWritten(
  model: DotBias,
  optimizer: Optimizer,
  step: (tables: Tables, batch: Batch, learningRate: Value) => { moved: Tables; error: Value },
): Layout {
  const carried = carriedInputs(model, optimizer);
  return {
    carried,
    state: carried,
    step(values, batch, { learningRate }) {
      const tables = Object.fromEntries(carried.map(({ name }, place) => [name, values[place]]));
      const { moved, error } = step(tables, batch, learningRate);
      return { values: carried.map(({ name }) => moved[name]), error };
    },
    results: (state) => carried.map(({ name }, place) => [name, state[place]]),
  };
}

/** The mean loss, and the gradient of each rating's squared error by its score. */
function lossOf(score: Value, actual: Value, [low, high]: DotBias['config']['range']) {
  const probability = sigmoid(score);
  const error = sub(add(mul(probability, high - low), low), actual);
  const slope = mul(mul(error, mul(probability, sub(1, probability))), 2 * (high - low));
  return { error: reduceMean(mul(error, error)), slope };
}

const adagradRate = (sums: Value, square: number, learningRate: Value): Value =>
  div(neg(learningRate), sqrt(add(mul(sums, square), 1)));

export interface FlatConfig {
  /** How single numbers are read and added to: by GatherElements and ScatterElements, or as rows of 50 are. */
  readonly numbers: 'elements' | 'rows';
  /** What a rating adds to a row's sum: the square of the bias's gradient, or the mean square of the factors'. */
  readonly squares: 'bias' | 'factors';
  /** Rows are multiplied by a column, or by one that a product with ones has stretched to their width. */
  readonly columns: 'broadcast' | 'stretched';
}

/** Row-wise Adagrad without weight decay, as `rowAdagrad` steps. */
export function flat(model: DotBias, { numbers, squares, columns }: FlatConfig): Layout {
  const { factors } = model.config;
  const ones = initializer('ones', 'float', [1, factors], new Float32Array(factors).fill(1));
  const scaled = (rows: Value, numbers: Value): Value => {
    const column = unsqueeze(numbers, [1]);
    return mul(rows, columns === 'broadcast' ? column : matmul(column, ones));
  };
  const take = (table: Value, ids: Value): Value =>
    numbers === 'elements' ? gatherElements(table, ids) : gather(table, ids);
  const put = (table: Value, ids: Value, rows: Value): Value =>
    numbers === 'elements'
      ? scatterElements(table, ids, rows, { reduction: 'add' })
      : scatterRows(table, ids, rows, { reduction: 'add' });
  return handWritten(model, rowAdagrad(), (tables, { user, item, actual }, learningRate) => {
    const [users, items] = [gather(tables.user_factors, user), gather(tables.item_factors, item)];
    const affinity = reduceSum(mul(users, items), { axes: [1] });
    const biases = add(take(tables.user_bias, user), take(tables.item_bias, item));
    const { error, slope } = lossOf(add(affinity, biases), actual, model.config.range);
    const side = (of: Side, ids: Value, others: Value): Tables => {
      const gradient = scaled(others, slope);
      const isBias = squares === 'bias';
      const square = isBias ? mul(slope, slope) : reduceMean(mul(gradient, gradient), { axes: [1] });
      const sums = put(tables[`${of}_factors.sum_of_squares`], ids, square);
      const rate = (square: number): Value => take(adagradRate(sums, square, learningRate), ids);
      const step = isBias ? scaled(others, mul(slope, rate(FACTOR_SQUARE))) : scaled(gradient, rate(1));
      return {
        [`${of}_factors`]: scatterRows(tables[`${of}_factors`], ids, step, { reduction: 'add' }),
        [`${of}_factors.sum_of_squares`]: sums,
        [`${of}_bias`]: put(tables[`${of}_bias`], ids, mul(slope, rate(1))),
      };
    };
    return { moved: { ...side('user', user, items), ...side('item', item, users) }, error };
  });
}

/**
 * The same for lists of so many ratings by one user each, which a batch has one after another: what a list does to its
 * user is a product of matrices, so that users are read and written once a list. There is no mask for padding.
 *
 * @param adaptive false: plain SGD
 */
export function lists(model: DotBias, length: number, adaptive: boolean): Layout {
  const shape = ['lists', length] as const;
  return handWritten(model, adaptive ? rowAdagrad() : sgd(), (tables, batch, learningRate) => {
    const user = slice(batch.user, 0, Number.MAX_SAFE_INTEGER, { step: length, dim: 'lists' });
    const inLists = (flat: Value): Value => reshape(flat, [-1, length], shape);
    const item = inLists(batch.item);
    const [users, items] = [gather(tables.user_factors, user), gather(tables.item_factors, item)];
    const affinity = squeeze(matmul(items, unsqueeze(users, [2])), [2]);
    const userBias = unsqueeze(gatherElements(tables.user_bias, user), [1]);
    const biases = add(inLists(gatherElements(tables.item_bias, batch.item)), userBias);
    const { error, slope } = lossOf(add(affinity, biases), inLists(batch.actual), model.config.range);
    const ofUser = (perRating: Value): Value => reduceSum(perRating, { axes: [1] });
    const ofItem = (perRating: Value): Value => reshape(perRating, [-1], batch.item.dims);
    const plainRate = div(neg(learningRate), sizeOf(batch.actual));
    const sumsOf = (of: Side, ids: Value, together: (perRating: Value) => Value): Value =>
      scatterElements(tables[`${of}_factors.sum_of_squares`], ids, together(mul(slope, slope)), {
        reduction: 'add',
      });
    const sums = adaptive && {
      user: sumsOf('user', user, ofUser),
      item: sumsOf('item', batch.item, ofItem),
    };
    const rate = (of: Side, ids: Value, square: number): Value =>
      sums ? gatherElements(adagradRate(sums[of], square, learningRate), ids) : plainRate;
    const column = (rates: Value): Value => (rates.dims.length > 0 ? unsqueeze(rates, [1]) : rates);
    const userGradient = squeeze(matmul(unsqueeze(slope, [1]), items), [1]);
    const userStep = mul(userGradient, column(rate('user', user, FACTOR_SQUARE)));
    const itemScale = mul(ofItem(slope), rate('item', batch.item, FACTOR_SQUARE));
    const itemStep = mul(unsqueeze(inLists(itemScale), [2]), unsqueeze(users, [1]));
    const userBiasStep = mul(ofUser(slope), rate('user', user, 1));
    const itemBiasStep = mul(ofItem(slope), rate('item', batch.item, 1));
    const moved = {
      user_factors: scatterRows(tables.user_factors, user, userStep, { reduction: 'add' }),
      item_factors: scatterRows(tables.item_factors, item, itemStep, { reduction: 'add' }),
      user_bias: scatterElements(tables.user_bias, user, userBiasStep, { reduction: 'add' }),
      item_bias: scatterElements(tables.item_bias, batch.item, itemBiasStep, { reduction: 'add' }),
      ...(sums && {
        'user_factors.sum_of_squares': sums.user,
        'item_factors.sum_of_squares': sums.item,
      }),
    };
    return { moved, error };
  });
}

/** Takes so many steps of `batch` ratings in a trip of the loop, which is given as many times the ratings. */
export function unrolled(layout: Layout, steps: number, batch: number): Layout {
  return {
    ...layout,
    step(values, { user, item, actual }, scalars, dropout) {
      let result = { values, error: actual };
      for (let step = 0; step < steps; step++) {
        const part = (all: Value): Value =>
          slice(all, step * batch, (step + 1) * batch, { dim: 'part', name: `${all.name}_part` });
        const one = { user: part(user), item: part(item), actual: part(actual) };
        result = { ...layout.step(result.values, one, scalars, dropout) } as typeof result;
      }
      return result;
    },
  };
}

/** Goes from step to step in float16, and computes in float. */
export function inFloat16(layout: Layout): Layout {
  const to = (type: 'float' | 'float16', values: readonly Value[]) =>
    values.map((value) => cast(value, type));
  return {
    ...layout,
    state: to('float16', layout.state),
    step(values, ...rest) {
      const { values: next, error } = layout.step(to('float', values), ...rest);
      return { values: to('float16', next), error };
    },
    results: (state) => layout.results(to('float', state)),
  };
}

/** One step as a graph of its own, whose outputs can be the memory of its inputs. */
export function singleStep(optimizer: Optimizer, layout: Layout): ModelFile {
  const batch: Batch = {
    user: input('user', 'int64', ['batch']),
    item: input('item', 'int64', ['batch']),
    actual: input('actual', 'float', ['batch']),
  };
  const learningRate = input('learning_rate', 'float', []);
  const scalars = optimizer.scalars({ learningRate, momentum: learningRate, step: learningRate });
  const { values, error } = layout.step(layout.state, batch, scalars, noDropout);
  return buildModel({
    name: 'step',
    inputs: [...layout.carried, ...Object.values(batch), learningRate],
    outputs: {
      ...Object.fromEntries(layout.results(values).map(([name, value]) => [`${name}.next`, value])),
      loss: error,
    },
  });
}
