import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorBy } from '../../src/evaluate/groups.ts';
import { metrics } from '../../src/evaluate/metrics.ts';

describe('errors by groups', () => {
  test('are by value where there are few', () => {
    const actual = Float32Array.of(1, 5, 1, 3);
    const predicted = Float32Array.of(2, 5, 4, 3.5);
    expect(errorBy(actual, predicted, actual, { most: 3 })).toEqual([
      { from: 1, to: 1, ratings: 2, rmse: Math.sqrt(5), mae: 2 },
      { from: 3, to: 3, ratings: 1, rmse: 0.5, mae: 0.5 },
      { from: 5, to: 5, ratings: 1, rmse: 0, mae: 0 },
    ]);
  });

  test('are by quantiles of the population else, those below it apart', () => {
    const population = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const values = Float32Array.of(8, 1, 0, 5, 0);
    const predicted = Float32Array.of(1, 2, 3, 4, 5);
    const groups = errorBy(values, predicted, new Float32Array(5), { most: 4, population });
    expect(groups.map(({ from, to, ratings, mae }) => [from, to, ratings, mae])).toEqual([
      [0, 0, 2, 4],
      [1, 1, 1, 2],
      [5, 5, 1, 4],
      [8, 8, 1, 1],
    ]);
  });

  test('are of all ratings, once each, in order, and at most so many', () => {
    const number = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        (rows, most) => {
          const [values, predicted, actual] = [0, 1, 2].map((column) =>
            Float32Array.from(rows, (row) => row[column]),
          );
          const groups = errorBy(values, predicted, actual, { most });
          expect(groups.length).toBeLessThanOrEqual(most);
          for (const [index, { from, to, ratings, rmse, mae }] of groups.entries()) {
            if (index > 0) expect(from).toBeGreaterThan(groups[index - 1].to);
            const within = rows.filter(([value]) => value >= from && value <= to);
            expect(within).toHaveLength(ratings);
            const expected = metrics(
              within.map((row) => row[1]),
              within.map((row) => row[2]),
            );
            expect(rmse).toBeCloseTo(expected.rmse, 9);
            expect(mae).toBeCloseTo(expected.mae, 9);
          }
          expect(groups.reduce((sum, { ratings }) => sum + ratings, 0)).toBe(rows.length);
        },
      ),
    );
  });
});
