import type { Tensors } from '../../../graphs/heads/serving.ts';
import { type DataFacts, MANY, type Model, scoreAt } from '../../../graphs/models/model.ts';
import { type Positives, pairsOf } from '../../data/dataset/positives.ts';
import type { Biases, Side, SideBiases } from '../../solve/biases.ts';
import { mapValues } from '../../util/map-values.ts';
import { generator, normals, uniforms } from '../../util/random.ts';
import { type SpectralPairs, spectralFactors } from './spectral.ts';

const STREAM = 1;

/** With more ratings the spectral initialisation is left out, because it takes several passes over them. */
export const MOST_PAIRS = 2 ** 20;

/** Initial values of a model that ranks, see `initialParameters`. */
export const initialForRanking = (model: Model, seed: number, positives: Positives): Tensors =>
  initialParameters(model, seed, {
    pairs: {
      ...pairsOf(positives),
      ...(positives.items.length >= MANY && { mostInRounds: MOST_IN_ROUNDS }),
    },
  });

/** Of a million pairs it takes a third of the time, and the NDCG is no lower. */
const MOST_IN_ROUNDS = 2 ** 17;

export interface StartingFrom {
  /**
   * Which users rated which items, or have them, for the spectral initialisation and the popularity of items. Default: without
   * these
   */
  readonly pairs?: SpectralPairs | undefined;
  /** The biases of the ratings. Default: biases start at their center */
  readonly scores?: BiasScores | undefined;
}

/** Initial values of the parameters. The same seed gives the same values. */
export function initialParameters(model: Model, seed: number, { pairs, scores }: StartingFrom = {}): Tensors {
  const random = generator(seed, STREAM);
  const drawn = mapValues(model.parameters, ({ dims, initial }) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const { center = 0 } = initial;
    const data =
      'normal' in initial
        ? normals(size, initial.normal, random).map((value) => center + value)
        : uniforms(size, random).map((value) => center + (2 * value - 1) * initial.uniform);
    return { dims, data };
  });
  const placed = scores ? withPosterior(model, drawn, scores) : drawn;
  return pairs
    ? withPopularity(
        model,
        withSpectral(model, placed, seed, { ...pairs, share: scores?.share ?? 1 }),
        pairs.items,
      )
    : placed;
}

/** What biases add to the score of the mean rating, by row, and what the mean of their prior adds. */
export type BiasScores = Readonly<
  Record<Side, { readonly posterior: Float64Array; readonly prior: number }>
> & {
  /**
   * How much of the scale ratings take, from 0 to 1: 1 where the noise is at least an eighth of the scale, as in ratings of 1 to 5;
   * little in heavy-tailed numbers, where the product of vectors would otherwise start too large.
   */
  readonly share: number;
};

/** The scores of biases in the unit of ratings. */
export function biasScores(
  { range }: Model,
  { low, high }: DataFacts,
  { mean, deviation, user, item }: Biases,
): BiasScores {
  const scoreOf = (bias: number): number => {
    const rating = Math.min(high, Math.max(low, mean + bias));
    return range ? scoreAt(rating, range) - scoreAt(mean, range) : rating - mean;
  };
  const scoresOf = ({ posterior, prior }: SideBiases) => ({
    posterior: posterior.map(scoreOf),
    prior: scoreOf(prior),
  });
  return { user: scoresOf(user), item: scoresOf(item), share: Math.min(1, (8 * deviation) / (high - low)) };
}

function withPosterior(model: Model, drawn: Tensors, scores: BiasScores): Tensors {
  return mapValues(drawn, ({ dims, data }, name) => {
    const { initial, rowsOf } = model.parameters[name];
    if (!initial.posterior || !rowsOf) return { dims, data };
    const { posterior } = scores[rowsOf];
    return { dims, data: data.map((value, row) => value + posterior[row]) };
  });
}

/** Adds the popularity of items, log(count + 1) less its mean. */
function withPopularity(model: Model, drawn: Tensors, items: Int32Array): Tensors {
  return mapValues(drawn, ({ dims, data }, name) => {
    const { initial, rowsOf } = model.parameters[name];
    if (!initial.popularity || rowsOf !== 'item') return { dims, data };
    const counts = new Float64Array(dims[0]);
    for (const item of items) counts[item]++;
    const logarithms = counts.map((count) => Math.log(count + 1));
    const mean = logarithms.reduce((sum, value) => sum + value, 0) / dims[0];
    const width = data.length / dims[0];
    const { popularity } = initial;
    return {
      dims,
      data: data.map((value, index) => value + popularity * (logarithms[Math.floor(index / width)] - mean)),
    };
  });
}

function withSpectral(
  model: Model,
  drawn: Tensors,
  seed: number,
  { share, ...pairs }: SpectralPairs & Pick<BiasScores, 'share'>,
): Tensors {
  const tables = Object.entries(model.parameters).filter(([, { initial }]) => initial.spectral);
  const rowsOf = (side: 'user' | 'item') => tables.find(([, table]) => table.rowsOf === side)?.[1].dims[0];
  const [users, items] = [rowsOf('user'), rowsOf('item')];
  if (users === undefined || items === undefined) return drawn;
  const width = Math.max(...tables.map(([, { dims }]) => dims[1]));
  const factors = spectralFactors(pairs, { users, items }, width, seed);
  if (!factors) return drawn;
  return mapValues(drawn, ({ dims, data }, name) => {
    const { rowsOf: side, initial } = model.parameters[name];
    if (!initial.spectral || !side) return { dims, data };
    const [scale, columns] = [initial.spectral * Math.sqrt(share), dims[1]];
    const added = factors[side];
    return {
      dims,
      data: data.map(
        (value, index) => value + scale * added[Math.floor(index / columns) * width + (index % columns)],
      ),
    };
  });
}
