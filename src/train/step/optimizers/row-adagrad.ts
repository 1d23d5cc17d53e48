import { MANY } from '../../../data/dataset/dataset.ts';
import { add, div, mul, neg, sqrt, type Value } from '../../../onnx/index.ts';
import { meanOfRows, timesRows } from '../rows.ts';
import type { Optimizer, Scalars } from './optimizer.ts';

/** Assumed mean square of a factor. */
const FACTOR_SQUARE = 0.005;

/**
 * Adagrad with one sum per row: for each rating s ← s + gradient², row ← row / (1 + rate · decay · gradient²) −
 * rate · gradient, with rate = learning rate / √(1 + s).
 *
 * In a row with a bias, s has the gradient of the bias, which is that of the score. The gradient of a factor is this times
 * the factor of the other side, whose mean square is assumed to be 0.005. Weight decay is proportional to gradient², the
 * Gauss–Newton curvature: so it does not depend on the scale of ratings, and falls as the model converges. Biases do not
 * decay. Chin, Zhuang, Juan and Lin (2015), "A learning-rate schedule for stochastic gradient methods to matrix
 * factorization", use the sum over factors.
 */
export function rowAdagrad({ weightDecay = 0.015 }: { readonly weightDecay?: number } = {}): Optimizer {
  const negatedRateFrom = (sum: Value, { negatedRate }: Scalars): Value =>
    div(negatedRate, sqrt(add(sum, 1)));
  return {
    name: 'row-adagrad',
    config: { weightDecay },
    defaults: {
      schedule: 'cosine',
      // The batch size with the lowest cost per rating, but smaller with few ratings, which would otherwise give few steps.
      batchSize: (ratings) => Math.min(8192, 2 ** Math.max(4, Math.round(Math.log2(ratings / 160)))),
      // With many ratings, larger steps are better because few epochs are enough.
      learningRate: ({ ratings }) => (ratings >= MANY ? 0.1 : 0.06),
    },
    state: ['sum_of_squares'],
    byRow: {
      weightDecay,
      contributions: (square) => ({ sum_of_squares: square }),
      negatedRate: ({ sum_of_squares: sum }, scalars, besideBias) =>
        negatedRateFrom(besideBias ? mul(sum, FACTOR_SQUARE) : sum, scalars),
    },
    l2: 0,
    inertia: false,
    summed: true,
    scalars: ({ learningRate }) => ({ negatedRate: neg(learningRate) }),
    decay: (state) => state,
    accumulate: ({ sum_of_squares }, gradient) => ({
      sum_of_squares: add(sum_of_squares, meanOfRows(mul(gradient, gradient))),
    }),
    update: (parameter, { sum_of_squares }, gradient, scalars) =>
      add(parameter, timesRows(gradient as Value, negatedRateFrom(sum_of_squares, scalars))),
  };
}
