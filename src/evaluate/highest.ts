/**
 * The places of the `k` highest scores, the highest first, of equal ones the earlier; fewer where there are not so
 * many. What is −∞ or not a number is left out.
 */
export function highest(scores: Float32Array, k: number): Int32Array {
  const isWorse = (a: number, b: number): boolean =>
    scores[a] < scores[b] || (scores[a] === scores[b] && a > b);
  // A heap with the worst of those kept on top.
  const heap = new Int32Array(k);
  let size = 0;
  for (let place = 0; place < scores.length; place++) {
    if (size < k) {
      if (!(scores[place] > Number.NEGATIVE_INFINITY)) continue;
      let at = size++;
      for (let above = (at - 1) >> 1; at > 0 && isWorse(place, heap[above]); above = (at - 1) >> 1) {
        heap[at] = heap[above];
        at = above;
      }
      heap[at] = place;
    } else if (scores[place] > scores[heap[0]]) {
      let at = 0;
      for (let below = 1; below < k; below = 2 * at + 1) {
        if (below + 1 < k && isWorse(heap[below + 1], heap[below])) below++;
        if (isWorse(place, heap[below])) break;
        heap[at] = heap[below];
        at = below;
      }
      heap[at] = place;
    }
  }
  return heap.subarray(0, size).sort((a, b) => scores[b] - scores[a] || a - b);
}
