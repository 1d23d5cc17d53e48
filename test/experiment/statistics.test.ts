import { expect, test } from 'vitest';
import { folds } from '../../src/data/dataset/split.ts';
import { estimate, heldOutRatio, pairedDifference } from '../../src/experiment/statistics.ts';
import { lowRank } from '../support/low-rank.ts';

const one = [0.912, 0.905, 0.899, 0.908, 0.915];
const other = [0.921, 0.909, 0.907, 0.911, 0.926];
const close = (value: number) => expect.closeTo(value, 12);

test('where folds share nothing, it is SciPy’s ttest_rel', () => {
  expect(pairedDifference(one, other, 0)).toEqual({
    mean: close(-0.007),
    deviation: close(0.0033911649915626375),
    interval: [close(-0.011210687481992304), close(-0.0027893125180077074)],
    p: close(0.009913345193658305),
  });
});

test('what folds share makes the interval wider, and chance more likely, as SciPy’s t of that variance says', () => {
  expect(pairedDifference(one, other, 1 / 4)).toMatchObject({
    interval: [close(-0.013316031222988453), close(-0.0006839687770115585)],
    p: close(0.037035650531952395),
  });
  expect(estimate(one, 1 / 4)).toEqual({
    mean: close(0.9078),
    deviation: close(0.006220932405998322),
    interval: [close(0.896213538294319), close(0.9193864617056808)],
  });
});

test('of the same errors chance is the whole reason; of one fold nothing is said', () => {
  expect(pairedDifference(one, one, 1 / 4)).toEqual({ mean: 0, deviation: 0, interval: [0, 0], p: 1 });
  expect(pairedDifference([2, 3], [1, 2], 1)).toEqual({ mean: 1, deviation: 0, interval: [1, 1], p: 0 });
  expect(pairedDifference([0.9], [0.8], 1 / 4)).toEqual({ mean: close(0.1), deviation: 0 });
});

test('of five folds, a quarter as many are held out as trained on', () => {
  expect(heldOutRatio(folds(lowRank(), 5, 1))).toBeCloseTo(1 / 4, 10);
});
