import { add, gather, mul, reduceSum } from '../../src/onnx/index.ts';
import { type Chosen, checked, grouped, kinds, withDefaults } from '../../src/util/choices.ts';
import { type BuiltInModel, common, commonRankingSearch, commonSearch } from './built-in.ts';
import {
  biases,
  defaultRange,
  MANY,
  type ModelDefinition,
  POPULARITY,
  type Range,
  scoreAt,
  vectors,
} from './model.ts';

/** Defaults of the choices that depend on the objective. */
const DEFAULTS = {
  rating: { factors: 50, initialStd: 0.01, spectral: [0.1, 0.25] },
  ranking: { factors: 256, initialStd: 0.05, spectral: [0.1, 0.1] },
  // With fewer epochs, training has to start nearer to where it ends.
  rankingOfMany: { factors: 256, initialStd: 0.05, spectral: [0.3, 0.3] },
} as const;

/** See `Vectors`. */
const PULL = 3;

const choices = grouped('Model', {
  factors: { ...common.factors, kind: kinds.width, otherwise: '50 to predict ratings, 256 to rank' },
  range: common.range,
  initialStd: { ...common.initialStd, otherwise: '0.01 to predict ratings, 0.05 to rank' },
  spectral: {
    ...common.spectral,
    otherwise: '0.1,0.25 to predict ratings, 0.1,0.1 to rank, 0.3,0.3 of many',
  },
});

/**
 * - `factors`: number of factors of each user and each item. Default: 50 to predict ratings, 256 to rank.
 * - `range`: lowest and highest rating of the model before clipping. Default: a little wider than the data.
 * - `initialStd`: initial standard deviation of the factors, which are drawn at random. Default: 0.01 to predict
 *   ratings, 0.05 to rank.
 * - `spectral`: scale of the spectral initialisation of user factors and item factors, see `Initial`. Default: [0.1, 0.25]
 *   to predict ratings, [0.1, 0.1] to rank, [0.3, 0.3] to rank by 500,000 positives or more.
 */
export type DotBiasConfig = Chosen<typeof choices>;

/**
 * score = user factors · item factors + user bias + item bias; rating = low + (high − low) · σ(score)
 *
 * Matrix factorization with biases: Koren, Bell and Volinsky (2009), "Matrix factorization techniques for recommender
 * systems", with a sigmoid that scales the output to the rating range. Biases start at their posterior, by empirical Bayes.
 * For ranking there is no user bias, which would not change the order of a user's items, and the item biases start at the
 * items' popularity.
 *
 * @throws UserError for an invalid choice
 */
export function dotBias(config: DotBiasConfig = {}): ModelDefinition {
  const chosen = withDefaults(choices, checked(choices, config, 'dot-bias: '));
  return (facts, objective = 'rating') => {
    const isOfMany = objective === 'ranking' && facts.ratings >= MANY;
    const { factors, initialStd, spectral } = {
      ...DEFAULTS[isOfMany ? 'rankingOfMany' : objective],
      ...chosen,
    };
    const range: Range = chosen.range ?? defaultRange(facts);
    // Both biases together start at the score of the mean.
    const center = scoreAt(facts.mean, range) / 2;
    const ranks = objective === 'ranking';
    return {
      name: 'dot-bias',
      // The order of scores is that of ratings: what ranks has no range.
      config: { factors, ...(!ranks && { range }), initialStd, spectral },
      ...(!ranks && { range }),
      parameters: {
        ...vectors(facts, { widths: [factors, factors], initialStd, spectral, pull: PULL }),
        ...(!ranks && { user_bias: biases('user', facts, { range, center }) }),
        item_bias: ranks
          ? { dims: [facts.items], initial: POPULARITY, rowsOf: 'item' }
          : biases('item', facts, { range, center }),
      },
      score({ user_factors, item_factors, user_bias, item_bias }, user, item) {
        const products = mul(gather(user_factors, user), gather(item_factors, item), 'products');
        const affinity = reduceSum(products, { axes: [1] }, 'affinity');
        const ofItem = gather(item_bias, item);
        return add(affinity, ranks ? ofItem : add(gather(user_bias, user), ofItem, 'biases'), 'score');
      },
    };
  };
}

const FACTORS = 'Each user and each item has a row of numbers, the factors. The more alike the two rows are,';

export const dotBiasModel = {
  title: 'Factors and biases',
  about:
    'A few numbers for each person and each item; where they match, the person likes the item. Small, fast, hard to beat.',
  formula: {
    rating: `${FACTORS} the higher the rating. A bias for each user adds how generous the user is, and a bias for each item how well liked the item is.`,
    ranking: `${FACTORS} the higher the score. A bias for each item adds how well liked the item is.`,
  },
  choices,
  search: commonSearch,
  rankingSearch: commonRankingSearch,
  // A user's row has one update in an epoch, so that fewer epochs need larger ones. On a fifth of MovieLens 100K and of plays of
  // artists, 8 epochs have .98 to .99 of the NDCG of 12.
  rankingOfMany: { epochs: 8, userRate: 3 },
  define: dotBias,
} satisfies BuiltInModel;
