/**
 * The indices of the `k` highest scores, highest first; of equal scores, the lower index first. Scores of −∞ or NaN are
 * left out, so there may be fewer.
 */
export function highest(scores: Float32Array, k: number): Int32Array {
  const isWorse = (a: number, b: number): boolean =>
    scores[a] < scores[b] || (scores[a] === scores[b] && a > b);
  // A heap with the lowest of the kept scores on top.
  const heap = new Int32Array(k);
  let size = 0;
  for (let index = 0; index < scores.length; index++) {
    if (size < k) {
      if (!(scores[index] > Number.NEGATIVE_INFINITY)) continue;
      let at = size++;
      for (let above = (at - 1) >> 1; at > 0 && isWorse(index, heap[above]); above = (at - 1) >> 1) {
        heap[at] = heap[above];
        at = above;
      }
      heap[at] = index;
    } else if (scores[index] > scores[heap[0]]) {
      let at = 0;
      for (let below = 1; below < k; below = 2 * at + 1) {
        if (below + 1 < k && isWorse(heap[below + 1], heap[below])) below++;
        if (isWorse(index, heap[below])) break;
        heap[at] = heap[below];
        at = below;
      }
      heap[at] = index;
    }
  }
  return heap.subarray(0, size).sort((a, b) => scores[b] - scores[a] || a - b);
}
