import {
  add,
  gather,
  logSoftmax,
  mul,
  neg,
  reduceSum,
  reshape,
  sub,
  type Value,
} from '../../src/onnx/index.ts';

/** What users have, among the candidates of a grid of scores. */
export interface Positives {
  /** Places in the grid, row · candidates + column, int64[n]. */
  readonly places: Value;
  /** float[n]. Default: 1 each */
  readonly weights?: Value | undefined;
}

/**
 * The loss of rankings: over all users, minus the sum of log softmax of the scores of what they have. It is the cross-entropy
 * of a multinomial distribution over the candidates (Liang et al. 2018, "Variational autoencoders for collaborative
 * filtering").
 *
 * @param scores float[users, candidates]
 * @param correction float[candidates], for candidates that are a sample of all items: the logarithm of the number of items
 *   that each stands for (Bengio and Senécal 2008, "Adaptive importance sampling to accelerate training of a neural
 *   probabilistic language model"). Default: the candidates are all items
 * @returns the sum over all positives, a scalar
 */
export function listLoss(scores: Value, { places, weights }: Positives, correction?: Value): Value {
  const logarithms = correction
    ? sub(logSoftmax(add(scores, correction, 'corrected_score')), correction)
    : logSoftmax(scores);
  const flat = reshape(logarithms, [-1], ['users*candidates'], 'log_probability');
  const ofPositives = gather(flat, places, 0, 'log_probability_of_positive');
  return neg(reduceSum(weights ? mul(ofPositives, weights) : ofPositives), 'loss');
}

/** Weight decay of a row with n positives: weight · n^power · ‖row‖². */
export type Decay = readonly [weight: number, power: number];
