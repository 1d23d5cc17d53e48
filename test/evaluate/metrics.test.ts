import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metrics } from '../../src/evaluate/metrics.ts';

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const pairs = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 50 });
const columns = (rows: [number, number][]): [number[], number[]] => [
  rows.map(([predicted]) => predicted),
  rows.map(([, actual]) => actual),
];
const slack = (value: number) => 1e-9 * (1 + Math.abs(value));

describe('metrics', () => {
  test('are what a hand reckons', () => {
    expect(metrics([3, 5], [4, 2])).toEqual({ rmse: Math.sqrt(5), mae: 2 });
    expect(metrics(Float32Array.of(1.5), Float32Array.of(1))).toEqual({ rmse: 0.5, mae: 0.5 });
    expect(metrics([1, 2, 3], [1, 2, 3])).toEqual({ rmse: 0, mae: 0 });
    expect(metrics([0, 0, 0, 0], [1, -1, 1, -3])).toEqual({ rmse: Math.sqrt(3), mae: 1.5 });
  });

  test('of nothing are not a number', () => {
    expect(metrics([], [])).toEqual({ rmse: Number.NaN, mae: Number.NaN });
  });

  test('mae ≤ rmse ≤ the largest error', () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const { rmse, mae } = metrics(...columns(rows));
        const largest = Math.max(...rows.map(([predicted, actual]) => Math.abs(predicted - actual)));
        expect(mae).toBeGreaterThanOrEqual(0);
        expect(mae).toBeLessThanOrEqual(rmse + slack(rmse));
        expect(rmse).toBeLessThanOrEqual(largest + slack(largest));
      }),
    );
  });

  test('do not depend on order, nor on which of the two is predicted', () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const [predicted, actual] = columns(rows);
        const { rmse, mae } = metrics(predicted, actual);
        expect(metrics(actual, predicted)).toEqual({ rmse, mae });
        const reversed = metrics(predicted.toReversed(), actual.toReversed());
        expect(Math.abs(reversed.rmse - rmse)).toBeLessThanOrEqual(slack(rmse));
        expect(Math.abs(reversed.mae - mae)).toBeLessThanOrEqual(slack(mae));
      }),
    );
  });

  test('grow with the scale of the ratings', () => {
    fc.assert(
      fc.property(pairs, fc.integer({ min: -8, max: 8 }), (rows, power) => {
        const [predicted, actual] = columns(rows);
        const { rmse, mae } = metrics(predicted, actual);
        const scale = 2 ** power;
        const scaled = metrics(
          predicted.map((value) => value * scale),
          actual.map((value) => value * scale),
        );
        expect(Math.abs(scaled.rmse - rmse * scale)).toBeLessThanOrEqual(slack(rmse * scale));
        expect(Math.abs(scaled.mae - mae * scale)).toBeLessThanOrEqual(slack(mae * scale));
      }),
    );
  });
});
