import { expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { memoryOf, mostItems, type Sizes, sideOf } from '../../src/solve/sides.ts';
import { type Solved, type Solving, solved } from '../../src/solve/solved.ts';
import { type ItemLists, usersWithSeveral } from '../../src/solve/sparse.ts';
import { solve } from '../../src/util/linear-algebra.ts';
import { generator, uniforms } from '../../src/util/random.ts';

/** Lists as users may have them: none, one item, several; in no order. The last item is had by nobody. */
function lists(users: number, items: number, weighted = false): ItemLists {
  const random = generator(2);
  const chances = uniforms(users * items, random);
  const starts = new Int32Array(users + 1);
  const found: number[] = [];
  for (let user = 0; user < users; user++) {
    if (user % 5 === 1) found.push(user % (items - 1));
    else if (user % 5 !== 2)
      for (let item = items - 2; item >= 0; item--) if (chances[user * items + item] < 0.2) found.push(item);
    starts[user + 1] = found.length;
  }
  const weights = weighted && uniforms(found.length, random).map((value) => value + 0.5);
  return { starts, items: Int32Array.from(found), ...(weights && { weights: Float32Array.from(weights) }) };
}

const penaltiesOf = (items: number): Float64Array =>
  Float64Array.from({ length: items }, (_, item) => 2 + (item % 3));

/** X, row by row. */
function dense({ starts, items, weights }: ItemLists, width: number): Float64Array {
  const x = new Float64Array((starts.length - 1) * width);
  for (let user = 0; user + 1 < starts.length; user++)
    for (let at = starts[user]; at < starts[user + 1]; at++) x[user * width + items[at]] = weights?.[at] ?? 1;
  return x;
}

/** P in double precision. */
function expectedOf(positives: ItemLists, penalties: Float64Array): Float64Array {
  const n = penalties.length;
  const x = dense(positives, n);
  const matrix = new Float64Array(n * n);
  for (let user = 0; user * n < x.length; user++)
    for (let one = 0; one < n; one++)
      for (let other = 0; other < n; other++)
        matrix[one * n + other] += x[user * n + one] * x[user * n + other];
  const unit = new Float64Array(n * n);
  for (let item = 0; item < n; item++) {
    matrix[item * n + item] += penalties[item];
    unit[item * n + item] = 1;
  }
  solve(matrix, n, unit);
  return unit;
}

const solveWith = async (solving: Omit<Solving, 'runtime'>): Promise<Solved> =>
  solved({ runtime: await nodeRuntime(), ...solving });

test.each([
  { users: 40, items: 23, weighted: false },
  { users: 40, items: 23, weighted: true },
  { users: 25, items: 60, weighted: false },
  { users: 25, items: 60, weighted: true },
])('$users users, $items items, weights: $weighted: both sides give P', async (sizes) => {
  const { users, items, weighted } = sizes;
  const positives = lists(users, items, weighted);
  const penalties = penaltiesOf(items);
  const p = expectedOf(positives, penalties);
  for (const side of ['users', 'items'] as const) {
    const made = await solveWith({ positives, penalties, side });
    for (let item = 0; item < items; item++) {
      expect(made.diagonal[item]).toBeCloseTo(p[item * items + item], 6);
      for (const [other, value] of made.row(item).entries())
        expect(value).toBeCloseTo(p[item * items + other], 6);
    }
  }
});

test('both sides agree on matrices of several tiles', async () => {
  const positives = lists(700, 800, true);
  const penalties = penaltiesOf(800).map((penalty) => 20 * penalty);
  const [byUsers, byItems] = [
    await solveWith({ positives, penalties, side: 'users' }),
    await solveWith({ positives, penalties, side: 'items' }),
  ];
  let most = 0;
  for (let item = 0; item < 800; item++) {
    most = Math.max(most, Math.abs(byUsers.diagonal[item] - byItems.diagonal[item]));
    const row = byItems.row(item);
    for (const [other, value] of byUsers.row(item).entries())
      most = Math.max(most, Math.abs(value - row[other]));
  }
  expect(most).toBeLessThan(2e-6);
});

test('users with one item or none are not in the matrix of users', async () => {
  const positives = { starts: Int32Array.of(0, 1, 1, 2, 4), items: Int32Array.of(0, 0, 1, 0) };
  expect(usersWithSeveral(positives)).toBe(1);
  // XᵀX + I is [[4, 1], [1, 2]].
  for (const side of ['users', 'items'] as const) {
    const made = await solveWith({ positives, penalties: Float64Array.of(1, 1), side });
    expect([...made.diagonal].map((value) => value.toFixed(6))).toEqual(['0.285714', '0.571429']);
    expect(made.row(1)[0]).toBeCloseTo(-1 / 7, 6);
  }
  // Without anyone who has several, there is nothing to invert on their side.
  const alone = { starts: Int32Array.of(0, 1), items: Int32Array.of(1) };
  const made = await solveWith({ positives: alone, penalties: Float64Array.of(1, 1), side: 'users' });
  expect([...made.diagonal]).toEqual([1, 0.5]);
  expect([...made.row(1)]).toEqual([0, 0.5]);
});

test('can be stopped, and reports progress', async () => {
  const positives = lists(700, 800);
  const penalties = penaltiesOf(800);
  const parts: number[] = [];
  const all = { positives, penalties, onProgress: (part: number) => parts.push(part) };
  await solveWith(all);
  expect(parts).toEqual(parts.toSorted((a, b) => a - b));
  expect(parts.at(-1)).toBe(1);
  for (const side of ['users', 'items'] as const) {
    const stop = new AbortController();
    const stopped = solveWith({
      ...all,
      side,
      signal: stop.signal,
      onProgress: (part) => {
        expect(part).toBeLessThan(1);
        stop.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({
      code: 'training',
      message: 'training was stopped before its end, so there is no model',
    });
    await expect(solveWith({ ...all, side, signal: AbortSignal.abort() })).rejects.toThrow(UserError);
  }
});

test('says that penalties are too small', async () => {
  const positives = { starts: Int32Array.of(0, 2, 4), items: Int32Array.of(0, 1, 0, 1) };
  const penalties = new Float64Array(2);
  await expect(solveWith({ positives, penalties, side: 'items' })).rejects.toThrow(
    /too small for 32-bit floats/,
  );
});

test('lets the event loop have its turn', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await solveWith({ positives: lists(900, 1000), penalties: penaltiesOf(1000) });
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);
});

test('the side is the faster one of those that fit', () => {
  const long: Sizes = { users: 600, items: 10_000, pairs: 100_000 };
  expect(sideOf(long)).toBe('users');
  expect(sideOf({ ...long, items: 500 })).toBe('items');
  // Sums over very many pairs take longer than the larger inverse, which takes more memory.
  const crowded: Sizes = { users: 10_000, items: 20_000, pairs: 20e6 };
  expect(sideOf(crowded)).toBe('items');
  expect(memoryOf(crowded, 1.1e9)).toBeLessThan(memoryOf(crowded));
  expect(sideOf(crowded, 1.1e9)).toBe('users');
});

test('memory, and the largest catalogue that fits into it', () => {
  // Half a matrix of 16,000 items, and little beside.
  const sizes: Sizes = { users: 40_000, items: 16_000, pairs: 2e6 };
  expect(memoryOf(sizes)).toBeGreaterThan(512e6);
  expect(memoryOf(sizes)).toBeLessThan(720e6);
  for (const memory of [2e8, 1e9, 4e9])
    for (const users of [500, 8000, 100_000]) {
      const others = { users, pairs: 1e6 };
      const most = mostItems(memory, (items) => memoryOf({ ...others, items }, memory));
      expect(memoryOf({ ...others, items: most }, memory)).toBeLessThanOrEqual(memory);
      expect(memoryOf({ ...others, items: most + 1 }, memory)).toBeGreaterThan(memory);
    }
  expect(mostItems(1e6, (items) => memoryOf({ users: 10, pairs: 1e6, items }, 1e6))).toBe(0);
});
