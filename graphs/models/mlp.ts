import * as v from 'valibot';
import { UserError } from '../../src/errors.ts';
import { add, concat, gather, matmul, relu, squeeze, type Value } from '../../src/onnx/index.ts';
import { type Choice, type Chosen, checked, grouped, kinds, withDefaults } from '../../src/util/choices.ts';
import { type BuiltInModel, common, commonRankingSearch, commonSearch } from './built-in.ts';
import {
  biases,
  type DataFacts,
  defaultRange,
  evennessIn,
  type ModelDefinition,
  type Parameter,
  POPULARITY,
  type Range,
  scoreAt,
  trustIn,
  vectors,
} from './model.ts';

/** Defaults of the choices that depend on the objective. */
const DEFAULTS = {
  rating: { factors: 50, initialStd: 0.01, spectral: [0.4, 0.6] },
  ranking: { factors: 128, initialStd: 0.05, spectral: [1, 1] },
} as const;

const dropout: Choice<number | readonly number[]> = {
  kind: {
    ...kinds.rates,
    schema: v.union([kinds.rate.schema, kinds.rates.schema], 'give rates from 0 to below 1'),
  },
  help: 'dropout rates: of the embeddings, then after each hidden layer; a rate that is left out is 0',
  default: ({ hidden }) => [0.1, ...(hidden as number[]).map(() => 0.05)],
  otherwise: '0.1 of the embeddings, 0.05 after each hidden layer',
  objective: 'rating',
};

/** See `Vectors`. */
const PULL = 6;

const choices = grouped('Model', {
  factors: { ...common.factors, otherwise: '50 to predict ratings, 128 to rank' },
  hidden: { kind: kinds.widths, help: 'widths of the hidden layers, such as 64,32', default: [64], field: 3 },
  dropout,
  range: common.range,
  initialStd: { ...common.initialStd, otherwise: '0.01 to predict ratings, 0.05 to rank' },
  spectral: { ...common.spectral, otherwise: '0.4,0.6 to predict ratings, 1,1 to rank' },
});

/**
 * - `factors`: widths of the user and the item embedding: one number for both, or two. `auto` grows with the number of
 *   users and items. Default: 50 to predict ratings, 128 to rank.
 * - `hidden`: widths of the hidden layers. Default: [64].
 * - `dropout`: dropout rates of the embeddings, then after each hidden layer; a single number is for the embeddings
 *   alone. Default: 0.1 of the embeddings, 0.05 after each hidden layer. For ranking there is none.
 * - `range`: lowest and highest rating of the model before clipping. Default: a little wider than the data.
 * - `initialStd`: initial standard deviation of the embeddings, which are drawn at random. Default: 0.01 to
 *   predict ratings, 0.05 to rank.
 * - `spectral`: scale of the spectral initialisation of user and item embeddings, see `Initial`. Default: [0.4, 0.6] to
 *   predict ratings, [1, 1] to rank.
 */
export type MlpConfig = Chosen<typeof choices>;

/**
 * A multilayer perceptron: concatenates the user and the item embedding, then applies linear layers with ReLU and dropout
 * between them. The single output plus a bias of the user and one of the item, which start at their posterior, is the score; a
 * sigmoid scales it to the rating range. For ranking, the output has no bias, but each item has one, which starts at its
 * popularity.
 *
 * @throws UserError for an invalid choice
 */
export function mlp(config: MlpConfig = {}): ModelDefinition {
  const chosen = withDefaults(choices, checked(choices, config, 'mlp: '));
  const { hidden, ...rest } = chosen as Required<MlpConfig>;
  const rates = dropoutRates(rest.dropout, hidden.length);
  return (facts, objective = 'rating') => {
    const { factors, initialStd, spectral } = { ...DEFAULTS[objective], ...chosen };
    const range: Range = chosen.range ?? defaultRange(facts);
    const ranks = objective === 'ranking';
    // There is no dropout in ranking.
    const dropout = ranks ? rates.map(() => 0) : rates;
    const [userFactors, itemFactors] = embeddingSizes(factors, facts);
    const widths = [userFactors + itemFactors, ...hidden, 1];
    const layers = widths
      .slice(1)
      .map((outputs, layer) => ({ inputs: widths[layer], outputs, layer: layer + 1 }));
    // The last layer starts at the mean rating, so that the first predictions are those of the biases. Others start as
    // torch.nn.Linear does, uniform in ±1/√inputs.
    const center = scoreAt(facts.mean, range);
    const rate = layerRate(facts, range, layers);
    return {
      name: 'mlp',
      config: {
        ...{ factors: [userFactors, itemFactors], hidden, dropout },
        ...(!ranks && { range }),
        ...{ initialStd, spectral },
      },
      // The order of scores is that of ratings: what ranks has no range.
      ...(!ranks && { range }),
      parameters: {
        ...vectors(facts, { widths: [userFactors, itemFactors], initialStd, spectral, pull: PULL }),
        ...Object.fromEntries(
          layers
            .flatMap((layer) => {
              const isLast = layer.layer > hidden.length;
              if (ranks || !isLast) return linear(layer, 1 / Math.sqrt(layer.inputs), { rate });
              const [weight, [name, bias]] = linear(layer, 0, { rate, center });
              // Users' and items' biases learn what it would.
              return [weight, [name, { ...bias, rate: 0 }]];
            })
            // In a ranking, a bias of all scores has no effect; only rounding would move it.
            .filter(([name]) => !(ranks && name === `linear_${layers.length}_bias`)),
        ),
        ...(ranks
          ? { item_bias: { dims: [facts.items], initial: POPULARITY, rowsOf: 'item' } }
          : {
              user_bias: besideNetwork('user', facts, range),
              item_bias: besideNetwork('item', facts, range),
            }),
      },
      score(parameters, user, item, drop) {
        const embedding = concat(
          [gather(parameters.user_factors, user), gather(parameters.item_factors, item)],
          1,
          'embedding',
        );
        let activation: Value = drop(embedding, dropout[0]);
        for (const { layer } of layers) {
          const product = matmul(activation, parameters[`linear_${layer}_weight`]);
          const bias = parameters[`linear_${layer}_bias`];
          const output = bias ? add(product, bias, `linear_${layer}`) : product;
          activation = layer > hidden.length ? output : drop(relu(output, `relu_${layer}`), dropout[layer]);
        }
        const { user_bias, item_bias } = parameters;
        const ofItem = gather(item_bias, item);
        const biases = ranks ? ofItem : add(gather(user_bias, user), ofItem, 'biases');
        return add(squeeze(activation, [1]), biases, 'score');
      },
    };
  };
}

/** The gradient of a bias is much larger than that of an embedding, so each has a state of its own. */
const besideNetwork = (side: 'user' | 'item', facts: DataFacts, range: Range): Parameter => ({
  ...biases(side, facts, { range }),
  ownState: true,
});

/** From this trust in patterns on, and from so many ratings for each weight, layers learn at the full rate. */
const ENOUGH = { trust: 0.5, ratings: 2 };

/**
 * The rate of layers, up to 1. Where patterns are chance, or ratings are few, layers would learn what biases leave of the same
 * ratings.
 */
function layerRate(facts: DataFacts, range: Range, layers: readonly Layer[]): number {
  const weights = layers.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  const trust = (trustIn(facts) / ENOUGH.trust) ** 2;
  const evenness = evennessIn(facts, range) ** 2;
  return Math.min(1, trust * evenness) * Math.min(1, facts.ratings / (ENOUGH.ratings * weights));
}

type Named = [name: string, parameter: Parameter];

interface Layer {
  /** Counted from 1. */
  readonly layer: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Weights and biases of a layer, which start uniform in ±`uniform`. */
function linear(
  { layer, inputs, outputs }: Layer,
  uniform: number,
  { rate, center = 0 }: { readonly rate: number; readonly center?: number },
): readonly [Named, Named] {
  return [
    [`linear_${layer}_weight`, { dims: [inputs, outputs], initial: { uniform }, rate }],
    [`linear_${layer}_bias`, { dims: [outputs], initial: { uniform, center }, rate }],
  ];
}

/** min(600, round(1.6 · n^0.56)), fastai's rule of thumb for an embedding of n rows. */
function embeddingSizes(
  factors: NonNullable<MlpConfig['factors']>,
  { users, items }: DataFacts,
): readonly [number, number] {
  const size = (rows: number): number => Math.min(600, Math.round(1.6 * rows ** 0.56));
  if (factors === 'auto') return [size(users), size(items)];
  return typeof factors === 'number' ? [factors, factors] : factors;
}

function dropoutRates(dropout: number | readonly number[], hiddenLayers: number): number[] {
  const rates = typeof dropout === 'number' ? [dropout] : dropout;
  if (rates.length > hiddenLayers + 1) {
    throw new UserError(
      'argument',
      `mlp: dropout has ${rates.length} rates; give one for the embeddings and one for each of ${hiddenLayers} hidden layers`,
    );
  }
  return Array.from({ length: hiddenLayers + 1 }, (_, index) => rates[index] ?? 0);
}

const NETWORK =
  'Each user and each item has a row of numbers, the factors. A neural network takes both rows and gives';

export const mlpModel = {
  title: 'Neural network',
  about: 'A few numbers for each person and each item, combined by a small neural network. Slower.',
  formula: {
    rating: `${NETWORK} the rating; a bias for each user adds how generous the user is, and a bias for each item how well liked the item is.`,
    ranking: `${NETWORK} the score; a bias for each item adds how well liked the item is.`,
  },
  choices,
  biasIsPart: true,
  learningRates: { 'row-adagrad': 0.08, adamw: 2e-3, sgd: 0.3, 'sgd-momentum': 0.1 },
  ranking: { epochs: 5, learningRate: 0.05, fullRateFrom: 1, itemDecay: [0.5, 0.5] },
  search: {
    ...commonSearch,
    batchSize: [64, 256, 1024],
    hidden: [[32], [64], [128], [64, 32], [128, 64]],
    // Of the embeddings, and after the first hidden layer.
    dropout: [0, 0.1, 0.2].flatMap((first) => [0, 0.1, 0.3].map((second) => [first, second])),
  },
  rankingSearch: commonRankingSearch,
  define: mlp,
} satisfies BuiltInModel;
