import { MANY } from '../../../data/dataset/dataset.ts';
import { add, div, mul, neg, sqrt, type Value } from '../../../onnx/index.ts';
import { meanOfRows, timesRows } from '../rows.ts';
import type { Optimizer, Scalars } from './optimizer.ts';

const FACTOR_SQUARE = 0.005;

/**
 * Adagrad with one sum a row: s ← s + gradient², row ← row / (1 + rate · decay · gradient²) − rate · gradient, with
 * rate = learning rate / √(1 + s), for each rating by itself. Where a row has a bias, the gradient in s is the bias's,
 * which is that of the score; that of a factor is as much times the other side's factor, whose mean square is taken to be
 * 0.005. Decay in proportion to gradient² (Gauss and Newton's curvature) is the same for ratings on any scale, and lower
 * where little is left to learn; biases do not decay. Chin, Zhuang, Juan and Lin (2015), "A learning-rate schedule for
 * stochastic gradient methods to matrix factorization", sum over factors.
 */
export function rowAdagrad({ weightDecay = 0.03 }: { readonly weightDecay?: number } = {}): Optimizer {
  const downhillFrom = (sum: Value, { downhill }: Scalars): Value => div(downhill, sqrt(add(sum, 1)));
  return {
    name: 'row-adagrad',
    config: { weightDecay },
    usual: {
      schedule: 'cosine',
      // As many ratings as a step costs least for each, but of few ratings not so many that steps are too few.
      batchSize: (ratings) => Math.min(8192, 2 ** Math.max(4, Math.round(Math.log2(ratings / 160)))),
      // Of many ratings few epochs are enough where steps are long.
      learningRate: ({ ratings }) => (ratings >= MANY ? 0.1 : 0.06),
    },
    state: ['sum_of_squares'],
    byRow: {
      weightDecay,
      contributions: (square) => ({ sum_of_squares: square }),
      downhill: ({ sum_of_squares: sum }, scalars, besideBias) =>
        downhillFrom(besideBias ? mul(sum, FACTOR_SQUARE) : sum, scalars),
    },
    l2: 0,
    inertia: false,
    summed: true,
    scalars: ({ learningRate }) => ({ downhill: neg(learningRate) }),
    decay: (state) => state,
    accumulate: ({ sum_of_squares }, gradient) => ({
      sum_of_squares: add(sum_of_squares, meanOfRows(mul(gradient, gradient))),
    }),
    update: (parameter, { sum_of_squares }, gradient, scalars) =>
      add(parameter, timesRows(gradient as Value, downhillFrom(sum_of_squares, scalars))),
  };
}
