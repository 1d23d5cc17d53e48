import { CHUNK, type ItemWeights } from '../../graphs/models/item-item.ts';
import type { Positives } from '../data/dataset/positives.ts';
import { scoreShare } from './score-share.ts';
import type { Solved } from './solved.ts';

/** Adds what having an item adds to the scores of all items, float[items + 1]. */
export function addWeights({ items, values, chunks }: ItemWeights, item: number, scores: Float32Array): void {
  if (!chunks) {
    for (let other = 0, at = item * (items + 1); other < items; other++, at++) scores[other] += values[at];
    return;
  }
  const { starts, neighbors } = chunks;
  for (let at = starts[item] * CHUNK; at < starts[item + 1] * CHUNK; at++)
    scores[neighbors[at]] += values[at];
}

/** Number of items whose weights tell which weights are the largest. */
const SAMPLED = 512;

export interface KeptOptions {
  /** Number of weights for each item, on average. */
  readonly neighbors: number;
  /** What users have. */
  readonly positives: Pick<Positives, 'starts' | 'items' | 'counts'>;
  /** Is called after each item. */
  turn(): Promise<void>;
}

/**
 * The weights of a solution that are kept: the largest in size of all, whatever their sign. Popular items have many of them,
 * and rare ones few. That loses less than as many of each item.
 *
 * @returns the weights, all of them if `neighbors` is the number of items; and how well they give the scores of all weights, see
 *   `ScoreShare`
 */
export async function kept(
  solution: Solved,
  options: KeptOptions,
): Promise<{ weights: ItemWeights; share: number }> {
  const { neighbors, positives, turn } = options;
  const items = solution.diagonal.length;
  const weights = new Float32Array(items);
  if (neighbors >= items) {
    const values = new Float32Array((items + 1) ** 2);
    for (let item = 0; item < items; item++) {
      weightsOf(solution, item, weights);
      values.set(weights, item * (items + 1));
      await turn();
    }
    return { weights: { items, values }, share: 1 };
  }
  const limit = await limitOf(solution, options);
  const shares = scoreShare(positives, items);
  const starts = new Int32Array(items + 2);
  const parts: KeptRow[] = [];
  for (let item = 0; item < items; item++) {
    weightsOf(solution, item, weights);
    const own = chunksOf(weights, limit);
    shares.add(item, weights, own);
    starts[item + 1] = starts[item] + own.values.length / CHUNK;
    parts.push(own);
    await turn();
  }
  // The chunk of padding.
  starts[items + 1] = starts[items] + 1;
  const values = new Float32Array(starts[items + 1] * CHUNK);
  const targets = new Int32Array(values.length).fill(items);
  for (const [item, part] of parts.entries()) {
    values.set(part.values, starts[item] * CHUNK);
    targets.set(part.neighbors, starts[item] * CHUNK);
  }
  return { weights: { items, values, chunks: { starts, neighbors: targets } }, share: shares.share() };
}

interface KeptRow {
  readonly values: Float32Array;
  readonly neighbors: Int32Array;
  /** Number of weights, without padding. */
  readonly count: number;
}

/** Writes what having an item adds to the scores of all items: −P_ij / P_jj. */
function weightsOf({ diagonal, row }: Solved, item: number, weights: Float32Array): void {
  const own = row(item);
  for (let other = 0; other < own.length; other++) weights[other] = -own[other] / diagonal[other];
  weights[item] = 0;
}

/** Which weights are kept: all from `sure` on, and a part of those from `least` on, which are of about the same size. */
interface Limit {
  readonly sure: number;
  readonly least: number;
  readonly part: number;
}

/** The weights of an item that are kept, in chunks that are padded. */
function chunksOf(weights: Float32Array, { sure, least, part }: Limit): KeptRow {
  const found: number[] = [];
  let alike = 0;
  for (let other = 0; other < weights.length; other++) {
    const size = Math.abs(weights[other]);
    if (size < least) continue;
    // Of those that are alike, every so many.
    if (size >= sure || Math.floor(++alike * part) > Math.floor((alike - 1) * part)) found.push(other);
  }
  const size = Math.ceil(found.length / CHUNK) * CHUNK;
  const values = new Float32Array(size);
  const neighbors = new Int32Array(size).fill(weights.length);
  neighbors.set(found);
  for (const [at, other] of found.entries()) values[at] = weights[other];
  return { values, neighbors, count: found.length };
}

/** The size from which weights are among the largest, estimated by a sample of items. */
async function limitOf(
  solution: Solved,
  { neighbors, positives: { counts }, turn }: KeptOptions,
): Promise<Limit> {
  const items = solution.diagonal.length;
  // Popular items have more large weights, so the sample is of all popularities.
  const order = Array.from({ length: items }, (_, item) => item).sort(
    (a, b) => counts[a] - counts[b] || a - b,
  );
  const step = Math.max(1, items / SAMPLED);
  const weights = new Float32Array(items);
  // The bits of positive floats are in their order: the upper half of them tells sizes apart by less than a hundredth.
  const bits = new Uint32Array(weights.buffer);
  const seen = new Uint32Array(2 ** 15);
  let sampled = 0;
  for (let at = 0; at < items; at += step, sampled++) {
    weightsOf(solution, order[Math.floor(at)], weights);
    for (let other = 0; other < items; other++) seen[(bits[other] >>> 16) & 0x7fff]++;
    await turn();
  }
  let left = neighbors * sampled;
  let bin = seen.length - 1;
  while (bin > 1 && left > seen[bin]) left -= seen[bin--];
  [bits[0], bits[1]] = [bin << 16, (bin + 1) << 16];
  return { least: weights[0], sure: weights[1], part: seen[bin] > 0 ? Math.min(1, left / seen[bin]) : 1 };
}
