import * as v from 'valibot';
import { add, gather, mul, reduceSum } from '../src/onnx/index.ts';
import { check, parts } from './config.ts';
import { defaultRange, type ModelDefinition, type Range, scaledSigmoid } from './model.ts';

export interface DotBiasConfig {
  /** The length of a user's and of an item's vector. */
  readonly factors: number;
  readonly range: Range;
  /** The standard deviation of the first random factors and biases. */
  readonly spread: number;
}

const schema = v.partial(v.object({ factors: parts.width, range: parts.range, spread: parts.spread }));

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
    const { factors = 50, range = defaultRange(facts), spread = 0.001 } = config;
    const initial = { normal: spread };
    return {
      name: 'dot-bias',
      config: { factors, range, spread },
      parameters: {
        user_factors: { dims: [facts.users, factors], initial, rowsOf: 'user' },
        item_factors: { dims: [facts.items, factors], initial, rowsOf: 'item' },
        user_bias: { dims: [facts.users], initial, rowsOf: 'user' },
        item_bias: { dims: [facts.items], initial, rowsOf: 'item' },
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
