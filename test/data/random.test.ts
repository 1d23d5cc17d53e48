import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generator, normals, shuffled, uniforms } from '../../src/util/random.ts';

const mean = (values: Float32Array, power: number) =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

describe('generator', () => {
  test('gives these numbers, on every machine', () => {
    expect([...uniforms(3, generator(42, 0))]).toMatchInlineSnapshot(`
      [
        0.8848474025726318,
        0.6755573153495789,
        0.37464433908462524,
      ]
    `);
    expect([...normals(3, 1, generator(42, 0))]).toMatchInlineSnapshot(`
      [
        -0.40865710377693176,
        -1.1513923406600952,
        -2.017982244491577,
      ]
    `);
    expect([...shuffled(8, generator(42, 0))]).toMatchInlineSnapshot(`
      [
        1,
        0,
        2,
        5,
        4,
        7,
        6,
        3,
      ]
    `);
  });

  test('differs by seed, by stream, and by the upper half of the seed', () => {
    const starts = [
      [1, 0],
      [2, 0],
      [0, 1],
      [0, 0],
      [1, 1],
      [1, -1],
      [2 ** 32 + 1, 0],
      [-1, 0],
    ].map(([seed, stream]) => uniforms(4, generator(seed, stream)).join());
    expect(new Set(starts).size).toBe(starts.length);
  });

  test('streams of neighbours are uncorrelated', () => {
    const one = uniforms(100_000, generator(7, 1));
    const two = uniforms(100_000, generator(7, 2));
    const covariance = mean(
      one.map((value, index) => (value - 0.5) * (two[index] - 0.5)),
      1,
    );
    expect(Math.abs(covariance * 12)).toBeLessThan(0.015);
  });
});

test('shuffled gives each number once', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.maxSafeInteger(), (length, seed) => {
      const order = shuffled(length, generator(seed));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, index) => index));
    }),
  );
});

test('shuffled gives every order alike', () => {
  const counts = new Map<string, number>();
  const random = generator(3);
  for (let round = 0; round < 24_000; round++) {
    const order = shuffled(4, random).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

test('uniforms fill [0, 1) evenly', () => {
  const values = uniforms(200_000, generator(1));
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  const tenths = new Int32Array(10);
  for (const value of values) tenths[Math.floor(value * 10)]++;
  for (const count of tenths) expect(Math.abs(count - 20_000)).toBeLessThan(600);
});

test('normals have the moments and the tails of a normal distribution', () => {
  const values = normals(400_001, 1, generator(5));
  expect(mean(values, 1)).toBeCloseTo(0, 2);
  expect(mean(values, 2)).toBeCloseTo(1, 1.9);
  expect(mean(values, 3)).toBeCloseTo(0, 1.5);
  expect(mean(values, 4)).toBeCloseTo(3, 1);
  const beyond = (limit: number) => values.filter((value) => Math.abs(value) > limit).length / values.length;
  expect(beyond(1)).toBeCloseTo(0.3173, 2);
  expect(beyond(2)).toBeCloseTo(0.0455, 2);
  expect(beyond(4)).toBeGreaterThan(2e-5);
  expect(beyond(4)).toBeLessThan(2e-4);
  expect(mean(normals(100_000, 0.01, generator(5)), 2)).toBeCloseTo(1e-4, 5);
});
