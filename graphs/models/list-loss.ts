import {
  add,
  exp,
  floor,
  log,
  matmul,
  mul,
  reduceMax,
  reduceSum,
  squeeze,
  sub,
  unsqueeze,
  type Value,
} from '../../src/onnx/index.ts';

/** The scores of what users have. */
export interface Positives {
  /** float[positives] */
  readonly scores: Value;
  /** float[positives]. Default: 1 each */
  readonly weights?: Value | undefined;
  /** The sum of the weights of each user's positives, float[users]. */
  readonly weightOfUser: Value;
}

/**
 * The loss of rankings: over all positives, minus the sum of log softmax of their scores. It is the cross-entropy of a
 * multinomial distribution over the candidates (Liang et al. 2018, "Variational autoencoders for collaborative filtering").
 *
 * @param scores float[users, candidates]
 * @param standsFor float[candidates], for candidates that are a sample of all items: the number of items that each stands for
 *   (Bengio and Senécal 2008, "Adaptive importance sampling to accelerate training of a neural probabilistic language
 *   model"). Default: the candidates are all items
 * @returns the sum over all positives, a scalar
 */
export function listLoss(
  scores: Value,
  { scores: ofPositives, weights, weightOfUser }: Positives,
  standsFor?: Value,
): Value {
  const attained = reduceSum(weights ? mul(ofPositives, weights) : ofPositives);
  const possible = reduceSum(mul(logSumExp(scores, standsFor), weightOfUser));
  return sub(possible, attained, 'loss');
}

/** The logarithm of the sum of exponentials, float[users]: of fewer passes over the grid than log softmax and its gradient. */
function logSumExp(scores: Value, factors?: Value): Value {
  // Rounded, the maximum has no gradient, which the sum does not depend on.
  const most = floor(reduceMax(scores, { axes: [1], keepDims: true }), 'most');
  const shares = exp(sub(scores, most), 'share');
  const sums = factors
    ? squeeze(matmul(shares, unsqueeze(factors, [1])), [1])
    : reduceSum(shares, { axes: [1] });
  return add(log(sums), squeeze(most, [1]), 'log_sum_exp');
}

/** Weight decay of a row with n positives: weight · n^power · ‖row‖². */
export type Decay = readonly [weight: number, power: number];
