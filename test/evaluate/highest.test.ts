import fc from 'fast-check';
import { expect, test } from 'vitest';
import { highest } from '../../src/util/highest.ts';

test('the highest first, of equal ones the earlier', () => {
  expect([...highest(Float32Array.of(1, 3, 2, 3, 1), 4)]).toEqual([1, 3, 2, 0]);
  expect([...highest(Float32Array.of(2, Number.NaN, Number.NEGATIVE_INFINITY, 5), 4)]).toEqual([3, 0]);
  expect([...highest(Float32Array.of(1, 2), 0)]).toEqual([]);
});

test('as sorting all of them', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 70 }), (scores, k) => {
      const sorted = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
      expect([...highest(Float32Array.from(scores), k)]).toEqual(sorted.slice(0, k));
    }),
  );
});
