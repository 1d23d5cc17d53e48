import { expect, test } from 'vitest';
import { neighborhood } from '../../src/page/map/zoom.ts';
import { generator, uniform } from '../../src/util/random.ts';

const EXTENTS = [[-1, 1] as const, [-1, 1] as const] as const;

test('a search shows an item among others, with nothing empty at an edge, wherever the item is', () => {
  const random = generator(1);
  // Dense in the middle, sparse outside.
  const points = Array.from(
    { length: 500 },
    () => [uniform(random) * uniform(random) - 0.3, uniform(random) ** 3 - 0.3] as const,
  );
  for (const point of points) {
    const ranges = neighborhood(point, points, EXTENTS);
    const seen = ranges.map(({ start, end }) => [start / 50 - 1, end / 50 - 1]);
    const isSeen = (one: readonly number[]) =>
      seen.every(([low, high], axis) => one[axis] >= low && one[axis] <= high);
    expect(isSeen(point)).toBe(true);
    const shown = points.filter(isSeen);
    expect(shown.length).toBeGreaterThanOrEqual(40);
    for (const [axis, [low, high]] of seen.entries()) {
      const values = shown.map((one) => one[axis]);
      const room = (high - low) / 5;
      expect(Math.min(...values) - low).toBeLessThan(room);
      expect(high - Math.max(...values)).toBeLessThan(room);
    }
  }
});

test('a map of few items is shown as a whole', () => {
  const points = [[-0.9, -0.9] as const, [0.9, 0.9] as const];
  expect(neighborhood(points[0], points, EXTENTS)).toEqual([
    { start: 0, end: 100 },
    { start: 0, end: 100 },
  ]);
});
