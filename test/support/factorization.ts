import type { ModelDefinition } from '../../src/index.ts';
import { add, concat, gather, matmul, mul, relu, squeeze } from '../../src/onnx/index.ts';

/**
 * A product layer beside a tower of linear layers, and a linear layer over both.
 *
 * He et al. (2017), "Neural collaborative filtering", with one embedding a user and an item for both halves.
 */
export function neuralFactorization({ factors = 16, hidden = 16 } = {}): ModelDefinition {
  return ({ users, items, low, high }) => {
    const initial = { normal: 0.1 };
    const linear = (inputs: number) => ({ uniform: 1 / Math.sqrt(inputs) });
    return {
      name: 'neural-factorization',
      config: { factors, hidden },
      parameters: {
        user_factors: { dims: [users, factors], initial, rowsOf: 'user' },
        item_factors: { dims: [items, factors], initial, rowsOf: 'item' },
        tower_weight: { dims: [2 * factors, hidden], initial: linear(2 * factors) },
        tower_bias: { dims: [hidden], initial: linear(2 * factors) },
        output_weight: { dims: [factors + hidden, 1], initial: linear(factors + hidden) },
        output_bias: { dims: [1], initial: linear(factors + hidden) },
      },
      range: [low - 0.5, high + 0.5],
      score(parameters, userRow, itemRow, dropout) {
        const { tower_weight, tower_bias, output_weight, output_bias } = parameters;
        const user = gather(parameters.user_factors, userRow);
        const item = gather(parameters.item_factors, itemRow);
        const tower = relu(add(matmul(concat([user, item], 1), tower_weight), tower_bias), 'tower');
        const both = dropout(concat([mul(user, item, 'product'), tower], 1), 0.1);
        const score = add(matmul(both, output_weight), output_bias);
        return squeeze(score, [1], 'score');
      },
    };
  };
}
