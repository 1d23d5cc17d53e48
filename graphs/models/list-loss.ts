import { gather, logSoftmax, mul, neg, reduceSum, reshape, type Value } from '../../src/onnx/index.ts';

/** The items that users have, among the candidates of a grid of scores. */
export interface Positives {
  /** Places in the grid, row · candidates + column, int64[n]. */
  readonly places: Value;
  /** float[n]. Default: 1 each */
  readonly weights?: Value;
}

/**
 * The loss of rankings: over all users, minus the sum of log softmax of the scores of what they have. It is the cross-entropy
 * of a multinomial distribution over the candidates (Liang et al. 2018, "Variational autoencoders for collaborative
 * filtering").
 *
 * @param scores float[users, candidates]
 * @returns the sum over all positives, a scalar
 */
export function listLoss(scores: Value, { places, weights }: Positives): Value {
  const logarithms = reshape(logSoftmax(scores), [-1], ['users*candidates'], 'log_probability');
  const ofPositives = gather(logarithms, places, 0, 'log_probability_of_positive');
  return neg(reduceSum(weights ? mul(ofPositives, weights) : ofPositives), 'loss');
}

/**
 * The same loss from a grid of weights, float[users, candidates], which are 0 where a user does not have the candidate. Its
 * gradient has no scattered additions, some of which several threads would lose.
 */
export const gridLoss = (scores: Value, weights: Value): Value =>
  neg(reduceSum(mul(logSoftmax(scores), weights)), 'loss');

/** Weight decay of a row with n positives: weight · n^power · ‖row‖². */
export type Decay = readonly [weight: number, power: number];
