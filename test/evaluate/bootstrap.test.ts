import { describe, expect, test } from 'vitest';
import { bootstrap } from '../../src/evaluate/bootstrap.ts';
import { errorsWithIntervals } from '../../src/evaluate/errors.ts';
import { generator, normals } from '../../src/util/random.ts';

const mean = ([sum, users]: Float64Array) => [sum / users];

describe('intervals over users', () => {
  test('of a mean are those of its standard error', () => {
    const values = Float64Array.from(normals(4000, 2, generator(1)));
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    const [[low, high]] = bootstrap([values], mean);
    const half = (1.96 * 2) / Math.sqrt(4000);
    expect(Math.abs(low - (average - half))).toBeLessThan(0.1 * half);
    expect(Math.abs(high - (average + half))).toBeLessThan(0.1 * half);
  });

  test('are the same each time', () => {
    const values = Float64Array.of(1, 2, 3, 4, 10);
    expect(bootstrap([values], mean)).toEqual(bootstrap([values], mean));
  });

  test('of one user, or of users who are all alike, have no width', () => {
    expect(bootstrap([Float64Array.of(3)], mean)).toEqual([[3, 3]]);
    expect(bootstrap([new Float64Array(9).fill(0.5)], mean)).toEqual([[0.5, 0.5]]);
  });

  test('are wide where a few users have most of the ratings', () => {
    // The same hundred errors, by a hundred users and by two.
    const predicted = Float32Array.from({ length: 100 }, (_, at) => (at < 50 ? 1 : 3));
    const ratings = new Float32Array(100);
    const width = (users: Int32Array, count: number) => {
      const userIds = Array.from({ length: count }, (_, row) => `u${row}`);
      const [low, high] = errorsWithIntervals(predicted, { users, userIds, ratings }).intervals.mae;
      return high - low;
    };
    const apart = width(Int32Array.from(ratings.keys()), 100);
    const two = width(
      Int32Array.from(ratings, (_, at) => Number(at >= 50)),
      2,
    );
    expect(apart).toBeLessThan(0.6);
    expect(two).toBe(2);
  });

  test('users without ratings, and the unknown row, do not make errors less sure', () => {
    const one = errorsWithIntervals(Float32Array.of(1, 2), {
      users: Int32Array.of(5, 5),
      userIds: ['a', 'b', 'c', 'd', 'e'],
      ratings: Float32Array.of(2, 2),
    });
    expect(one).toEqual({
      rmse: Math.sqrt(0.5),
      mae: 0.5,
      intervals: { rmse: [Math.sqrt(0.5), Math.sqrt(0.5)], mae: [0.5, 0.5] },
    });
  });
});
