import { describe, expect, test } from 'vitest';
import type { JsonTensors } from './cases.ts';
import { agrees, compare } from './compare.ts';

describe('two lists of items are the same', () => {
  const list = (items: string[], ratings: (number | null)[]): JsonTensors => ({
    item: { type: 'string', shape: [1, items.length], data: items },
    rating: { type: 'float', shape: [1, items.length], data: ratings as number[] },
  });
  const golden = list(['a', 'b', 'c', 'd'], [4, 3, 2.999999, 2]);
  const verdict = (outputs: JsonTensors, wanted = golden) =>
    compare([{ model: 'm', inputs: {}, outputs: wanted }], {
      runtime: '',
      version: '',
      results: [{ outputs }],
    }).m;

  test('as they are, or with another order of near ratings', () => {
    expect(verdict(golden)).toEqual({ difference: 0, swaps: 0 });
    const near = verdict(list(['a', 'c', 'b', 'd'], [4, 3, 3, 2]));
    expect(near).toMatchObject({ swaps: 2 });
    expect(agrees(near)).toBe(true);
    expect(verdict(list(['a', 'b', 'c', 'e'], [4, 3, 2.999999, 2]))).toMatchObject({ swaps: 1 });
  });

  test('but not with another order of ratings further apart, or of ties', () => {
    expect(verdict(list(['b', 'a', 'c', 'd'], [4, 3, 2.999999, 2])).problem).toBe('item[0] is "b", not "a"');
    expect(verdict(list(['e', 'b', 'c', 'd'], [4, 3, 2.999999, 2])).problem).toBe('item[0] is "e", not "a"');
    const ties = list(['a', 'b', 'c'], [1, 1, 1]);
    expect(verdict(list(['a', 'c', 'b'], [1, 1, 1]), ties).problem).toBe('item[1] is "c", not "b"');
  });

  test('and of ratings beside scores, those of the same items are compared', () => {
    const [scores, ratings] = [
      [9, 8, 7.999999],
      [4, 1, 5],
    ];
    const rated = (items: string[], scores: number[], ratings: number[]): JsonTensors => ({
      item: { type: 'string', shape: [1, 3], data: items },
      score: { type: 'float', shape: [1, 3], data: scores },
      rating: { type: 'float', shape: [1, 3], data: ratings },
    });
    const wanted = rated(['a', 'b', 'c'], scores, ratings);
    const near = verdict(rated(['a', 'c', 'b'], [9, 8, 8], [4, 5, 1]), wanted);
    expect(near).toMatchObject({ swaps: 2 });
    expect(agrees(near)).toBe(true);
    expect(agrees(verdict(rated(['a', 'c', 'b'], [9, 8, 8], [4, 1, 5]), wanted))).toBe(false);
    expect(agrees(verdict(rated(['a', 'b', 'd'], [9, 8, 8], [4, 1, 2]), wanted))).toBe(true);
  });

  test('nor with other ratings, other shapes, or none', () => {
    const { item } = golden;
    expect(agrees(verdict(list(['a', 'b', 'c', 'd'], [4.00002, 3, 2.999999, 2])))).toBe(false);
    expect(agrees(verdict(list(['a', 'b', 'c', 'd'], [4, 3, null, 2])))).toBe(false);
    expect(verdict({ item }).problem).toBe('rating is absent, not float[1,4]');
    expect(verdict({ ...golden, item: { ...item, shape: [4] } }).problem).toBe(
      'item is string[4], not string[1,4]',
    );
    const report = { runtime: '', version: '', results: [] };
    expect(agrees(compare([{ model: 'm', inputs: {}, outputs: golden }], report).m)).toBe(false);
  });
});
