import * as v from 'valibot';
import { UserError } from '../../src/errors.ts';
import { add, concat, gather, matmul, relu, squeeze, type Value } from '../../src/onnx/index.ts';
import { check, parts } from '../../src/util/schema.ts';
import {
  type DataFacts,
  defaultRange,
  type ModelDefinition,
  type Parameter,
  type Range,
  scaledSigmoid,
  scoreOf,
} from './model.ts';

export interface MlpConfig {
  /** The lengths of a user's and of an item's embedding; `auto` grows with their number. */
  readonly factors: number | 'auto' | readonly [user: number, item: number];
  /** The widths of the hidden layers. */
  readonly hidden: readonly number[];
  /** The dropout on the embeddings, then after each hidden layer. A single number is for the embeddings alone. */
  readonly dropout: number | readonly number[];
  readonly range: Range;
  /** The standard deviation of the first random embeddings. */
  readonly spread: number;
  /** How much of who rated what the first embeddings of users, and of items, have: see `Initial`. */
  readonly spectral: readonly [user: number, item: number];
}

const schema = v.partial(
  v.object({
    factors: v.union(
      [parts.width, v.literal('auto'), v.tuple([parts.width, parts.width])],
      'give a width, or one for users and one for items, or auto',
    ),
    hidden: v.array(parts.width, 'give a list of widths'),
    dropout: v.union([parts.rate, v.array(parts.rate)], 'give rates from 0 to below 1'),
    range: parts.range,
    spread: parts.spread,
    spectral: parts.spectral,
  }),
);

/**
 * User and item embeddings side by side, dropout, then linear layers with ReLU and dropout between them, down to one
 * number, which a sigmoid scales to the rating range.
 *
 * @throws UserError if the configuration cannot be.
 */
export function mlp(config: Partial<MlpConfig> = {}): ModelDefinition<MlpConfig> {
  check(schema, config, 'mlp: ');
  const { hidden = [64] } = config;
  const dropout = dropoutRates(config.dropout ?? [0.1, ...hidden.map(() => 0.1)], hidden.length);
  return (facts) => {
    const { range = defaultRange(facts), spread = 0.01, spectral = [0.5, 0.8] } = config;
    const [userFactors, itemFactors] = embeddingSizes(config.factors ?? 50, facts);
    const widths = [userFactors + itemFactors, ...hidden, 1];
    const layers = widths
      .slice(1)
      .map((outputs, layer) => ({ inputs: widths[layer], outputs, layer: layer + 1 }));
    // Before anything is learned, ratings are near the mean.
    const center = scoreOf(facts.mean, range);
    return {
      name: 'mlp',
      config: { factors: [userFactors, itemFactors], hidden, dropout, range, spread, spectral },
      parameters: {
        user_factors: {
          dims: [facts.users, userFactors],
          initial: { normal: spread, spectral: spectral[0] },
          rowsOf: 'user',
        },
        item_factors: {
          dims: [facts.items, itemFactors],
          initial: { normal: spread, spectral: spectral[1] },
          rowsOf: 'item',
        },
        ...Object.fromEntries(
          layers.flatMap(({ inputs, outputs, layer }) =>
            linear(layer, inputs, outputs, layer > hidden.length ? center : 0),
          ),
        ),
      },
      rating(parameters, user, item, drop) {
        const embedding = concat(
          [gather(parameters.user_factors, user), gather(parameters.item_factors, item)],
          1,
          'embedding',
        );
        let activation: Value = drop(embedding, dropout[0]);
        for (const { layer } of layers) {
          const product = matmul(activation, parameters[`linear_${layer}_weight`]);
          const output = add(product, parameters[`linear_${layer}_bias`], `linear_${layer}`);
          activation = layer > hidden.length ? output : drop(relu(output, `relu_${layer}`), dropout[layer]);
        }
        return scaledSigmoid(squeeze(activation, [1], 'score'), range);
      },
    };
  };
}

// Weights and biases start uniform in ±1/√inputs, as torch.nn.Linear's do.
function linear(layer: number, inputs: number, outputs: number, center: number): [string, Parameter][] {
  const initial = { uniform: 1 / Math.sqrt(inputs) };
  return [
    [`linear_${layer}_weight`, { dims: [inputs, outputs], initial }],
    [`linear_${layer}_bias`, { dims: [outputs], initial: { ...initial, center } }],
  ];
}

/** min(600, round(1.6 · n^0.56)), fastai's rule of thumb for an embedding of n rows. */
function embeddingSizes(
  factors: MlpConfig['factors'],
  { users, items }: DataFacts,
): readonly [number, number] {
  if (factors === 'auto') return [embeddingSize(users), embeddingSize(items)];
  return typeof factors === 'number' ? [factors, factors] : factors;
}

const embeddingSize = (rows: number): number => Math.min(600, Math.round(1.6 * rows ** 0.56));

function dropoutRates(dropout: MlpConfig['dropout'], hiddenLayers: number): number[] {
  const rates = typeof dropout === 'number' ? [dropout] : dropout;
  if (rates.length > hiddenLayers + 1) {
    throw new UserError(
      `mlp: dropout has ${rates.length} rates; give one for the embeddings and one for each of ${hiddenLayers} hidden layers`,
    );
  }
  return Array.from({ length: hiddenLayers + 1 }, (_, place) => rates[place] ?? 0);
}
