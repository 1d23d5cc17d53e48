import { expect, test } from 'vitest';
import { CHUNK } from '../../graphs/models/item-item.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { itemWeights } from '../../src/solve/item-weights.ts';
import { addWeights } from '../../src/solve/kept.ts';
import { refitted } from '../../src/solve/refit.ts';
import { solve } from '../../src/util/linear-algebra.ts';
import { generator, uniforms } from '../../src/util/random.ts';

const [USERS, ITEMS, LAMBDA] = [60, 25, 2];

/** Lists with some weights. */
function lists() {
  const random = generator(3);
  const found = Array.from({ length: USERS }, () =>
    [...Array(ITEMS).keys()].filter(() => uniforms(1, random)[0] < 0.3),
  );
  const starts = new Int32Array(USERS + 1);
  for (const [user, list] of found.entries()) starts[user + 1] = starts[user] + list.length;
  const items = Int32Array.from(found.flat());
  const counts = new Int32Array(ITEMS);
  for (const item of items) counts[item]++;
  return { starts, items, counts, weights: uniforms(items.length, random).map((value) => 0.5 + value) };
}

test('kept weights, fitted again, are the ridge regression on those that are kept', async () => {
  const positives = lists();
  const starts = Int32Array.from({ length: ITEMS + 2 }, (_, item) => item);
  const neighbors = new Int32Array((ITEMS + 1) * CHUNK).fill(ITEMS);
  const values = new Float32Array(neighbors.length);
  const kept = (from: number, to: number): boolean => from !== to && (3 * from + to) % 5 < 2;
  for (let from = 0; from < ITEMS; from++)
    for (let to = 0, at = from * CHUNK; to < ITEMS; to++)
      if (kept(from, to)) {
        neighbors[at] = to;
        values[at++] = 0.1;
      }
  const turn = async () => undefined;
  const weights = { items: ITEMS, values, chunks: { starts, neighbors } };
  const fitted = await refitted(weights, positives, { lambda: LAMBDA, steps: 30, turn });
  const x = new Float64Array(USERS * ITEMS);
  for (let user = 0; user < USERS; user++)
    for (let at = positives.starts[user]; at < positives.starts[user + 1]; at++)
      x[user * ITEMS + positives.items[at]] = positives.weights[at];
  const product = (one: number, other: number): number => {
    let sum = 0;
    for (let user = 0; user < USERS; user++) sum += x[user * ITEMS + one] * x[user * ITEMS + other];
    return sum;
  };
  const rows = Array.from({ length: ITEMS }, (_, item) => {
    const row = new Float32Array(ITEMS + 1);
    addWeights(fitted, item, row);
    return row;
  });
  for (let target = 0; target < ITEMS; target++) {
    const sources = [...Array(ITEMS).keys()].filter((from) => kept(from, target));
    const gram = Float64Array.from(
      sources.flatMap((one) => sources.map((other) => product(one, other) + (one === other ? LAMBDA : 0))),
    );
    const expected = Float64Array.from(sources, (source) => product(source, target));
    solve(gram, sources.length, expected);
    for (const [index, source] of sources.entries())
      expect(rows[source][target]).toBeCloseTo(expected[index], 3);
    for (let from = 0; from < ITEMS; from++) if (!kept(from, target)) expect(rows[from][target]).toBe(0);
  }
});

test('weights that do not give the scores are fitted again, and are then nearer to them', async () => {
  const positives = lists();
  const runtime = await nodeRuntime();
  const find = async (neighbors: number | 'all') =>
    (await itemWeights(positives, { runtime, regularization: 0.1, neighbors })).weights;
  const [all, few] = [await find('all'), await find(2)];
  const error = (of: typeof all): number => {
    let sum = 0;
    for (let user = 0; user < USERS; user++) {
      const [scores, whole] = [new Float32Array(ITEMS + 1), new Float32Array(ITEMS + 1)];
      for (let at = positives.starts[user]; at < positives.starts[user + 1]; at++) {
        addWeights(of, positives.items[at], scores);
        addWeights(all, positives.items[at], whole);
      }
      for (let item = 0; item < ITEMS; item++) sum += (scores[item] - whole[item]) ** 2;
    }
    return sum;
  };
  // What is kept without being fitted again: the same places with the weights of all.
  const { chunks } = few;
  const values = few.values.slice();
  for (let item = 0; item < ITEMS; item++) {
    const row = new Float32Array(ITEMS + 1);
    addWeights(all, item, row);
    for (let at = (chunks?.starts[item] ?? 0) * CHUNK; at < (chunks?.starts[item + 1] ?? 0) * CHUNK; at++) {
      const to = chunks?.neighbors[at] ?? ITEMS;
      values[at] = to < ITEMS ? row[to] : 0;
    }
  }
  expect([...values]).not.toEqual([...few.values]);
  expect(error(few)).toBeLessThan(error({ ...few, values }));
});
