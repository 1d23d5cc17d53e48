import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constantRate, cosine, oneCycle } from '../../src/train/step/schedules.ts';

const progress = fc.double({ min: 0, max: 1, noNaN: true });

describe('oneCycle', () => {
  const schedule = oneCycle({ learningRate: 0.01 });

  test('begins at a 25th of the peak, has it after a quarter, and ends near 0', () => {
    expect(schedule.at(0).learningRate).toBeCloseTo(0.01 / 25, 12);
    expect(schedule.at(0.25).learningRate).toBeCloseTo(0.01, 12);
    expect(schedule.at(1).learningRate).toBeCloseTo(0.01 / 1e5, 12);
    expect(schedule.at(0.125).learningRate).toBeCloseTo((0.01 / 25 + 0.01) / 2, 12);
    expect(schedule.at(0.625).learningRate).toBeCloseTo((0.01 + 0.01 / 1e5) / 2, 12);
  });

  test('momentum mirrors the learning rate', () => {
    expect([0, 0.25, 1].map((at) => schedule.at(at).momentum)).toEqual([0.95, 0.85, 0.95]);
    fc.assert(
      fc.property(progress, progress, (one, two) => {
        fc.pre(one < 0.25 === two < 0.25);
        const [first, second] = [schedule.at(one), schedule.at(two)];
        if (first.learningRate < second.learningRate)
          expect(first.momentum).toBeGreaterThanOrEqual(second.momentum);
      }),
    );
  });

  test('rises, then falls, without a jump', () => {
    const values = Array.from({ length: 10_001 }, (_, at) => schedule.at(at / 10_000).learningRate);
    values.slice(1).forEach((value, at) => {
      expect(Math.abs(value - values[at])).toBeLessThan(1e-5);
      if (at < 2500) expect(value).toBeGreaterThanOrEqual(values[at]);
      else expect(value).toBeLessThanOrEqual(values[at]);
    });
  });

  test('takes its own shape, and says it', () => {
    const config = {
      learningRate: 1,
      warmUp: 0.5,
      divide: 10,
      divideFinal: 100,
      momentum: 0.9,
      momentumLow: 0.5,
    };
    const other = oneCycle(config);
    expect(other.config).toEqual(config);
    expect(other.at(0).learningRate).toBeCloseTo(0.1, 12);
    expect(other.at(0).momentum).toBe(0.9);
    expect(other.at(0.5)).toEqual({ learningRate: 1, momentum: 0.5 });
    expect(other.at(1).learningRate).toBeCloseTo(0.01, 12);
    expect(oneCycle({ learningRate: 1, warmUp: 0 }).at(0).learningRate).toBe(1);
  });
});

test('cosine falls from the full rate to 0', () => {
  const schedule = cosine({ learningRate: 0.2 });
  fc.assert(
    fc.property(progress, (at) => {
      expect(schedule.at(at).learningRate).toBeCloseTo(0.1 * (1 + Math.cos(Math.PI * at)), 12);
      expect(schedule.at(at).momentum).toBe(0.9);
    }),
  );
  expect(schedule.at(1).learningRate).toBe(0);
});

test('constantRate stays', () => {
  const schedule = constantRate({ learningRate: 0.2, momentum: 0.5 });
  for (const at of [0, 0.3, 1]) expect(schedule.at(at)).toEqual({ learningRate: 0.2, momentum: 0.5 });
});
