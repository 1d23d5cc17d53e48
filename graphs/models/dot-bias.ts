import * as v from 'valibot';
import { add, gather, mul, reduceSum } from '../../src/onnx/index.ts';
import { check, parts } from '../../src/util/schema.ts';
import { defaultRange, type ModelDefinition, type Range, scaledSigmoid, scoreOf } from './model.ts';

export interface DotBiasConfig {
  /** The length of a user's and of an item's vector. */
  readonly factors: number;
  readonly range: Range;
  /** The standard deviation of the first random factors and biases. */
  readonly spread: number;
  /** How much of who rated what the first factors of users, and of items, have: see `Initial`. */
  readonly spectral: readonly [user: number, item: number];
}

const schema = v.partial(
  v.object({ factors: parts.width, range: parts.range, spread: parts.spread, spectral: parts.spectral }),
);

/**
 * rating = low + (high − low) · σ(user factors · item factors + user bias + item bias)
 *
 * Koren, Bell and Volinsky (2009), "Matrix factorization techniques for recommender systems", with the output
 * squashed into the rating range.
 *
 * @throws UserError if the configuration cannot be.
 */
export function dotBias(config: Partial<DotBiasConfig> = {}): ModelDefinition<DotBiasConfig> {
  check(schema, config, 'dot-bias: ');
  return (facts) => {
    const { factors = 50, range = defaultRange(facts), spread = 0.01, spectral = [0.08, 0.2] } = config;
    const initial = { normal: spread };
    const bias = { normal: spread, center: (startAt(facts.ratings) * scoreOf(facts.mean, range)) / 2 };
    return {
      name: 'dot-bias',
      config: { factors, range, spread, spectral },
      parameters: {
        user_factors: {
          dims: [facts.users, factors],
          initial: { ...initial, spectral: spectral[0] },
          rowsOf: 'user',
        },
        item_factors: {
          dims: [facts.items, factors],
          initial: { ...initial, spectral: spectral[1] },
          rowsOf: 'item',
        },
        user_bias: { dims: [facts.users], initial: bias, rowsOf: 'user' },
        item_bias: { dims: [facts.items], initial: bias, rowsOf: 'item' },
      },
      rating({ user_factors, item_factors, user_bias, item_bias }, user, item) {
        const products = mul(gather(user_factors, user), gather(item_factors, item), 'products');
        const affinity = reduceSum(products, { axes: [1] }, 'affinity');
        const biases = add(gather(user_bias, user), gather(item_bias, item), 'biases');
        return scaledSigmoid(add(affinity, biases, 'score'), range);
      },
    };
  };
}

/**
 * How far towards the mean rating training begins. A few hundred steps cannot carry the biases there, so with few
 * ratings it begins at the mean. With more, what is rated rarely is rated below the mean, and to begin below it is the
 * better guess (validation RMSE on MovieLens: of 4,900 ratings 0.992 from the mean and 1.004 from halfway, of 18,000
 * 0.946 and 0.944).
 */
function startAt(ratings: number): number {
  return ratings < 10_000 ? 1 : 0.5;
}
