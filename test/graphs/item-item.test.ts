import { Tensor } from 'onnxruntime-node';
import { expect, describe as group, test } from 'vitest';
import { decodeModel } from '../../src/onnx/index.ts';
import { best, count, floats, headsOfParts, padded, rowsOf, strings } from '../support/heads.ts';
import { drawnWeights, scoresOf, weightOf } from '../support/weights.ts';

const ASKED = ['user 0', 'user 7', 'nobody', 'user 19', 'user 7', ''];
const rowIn = (id: string): number => Number(/\d+$/.exec(id)?.[0]);

/** Weights are stored as float16. */
const CLOSE = 5e-3;

const KINDS = { 'all weights': 30, 'a few weights of each item': 6 };

group.each(Object.entries(KINDS))('a model of %s', async (_, width) => {
  const { part, vocabulary, lists } = drawnWeights({ width });
  const { run, files } = await headsOfParts({ ranking: part, vocabulary });
  const listOf = (user: string): readonly number[] => (/^user/.test(user) ? lists[rowIn(user)] : []);

  function expectList(items: readonly string[], scores: readonly number[], expected: readonly number[]) {
    for (const [place, item] of items.entries()) {
      if (item === '') expect(scores[place]).toBe(0);
      else expect(Math.abs(scores[place] - expected[rowIn(item)])).toBeLessThan(CLOSE);
      if (place > 0 && item !== '') expect(scores[place]).toBeLessThanOrEqual(scores[place - 1]);
    }
  }

  test.each([1, 7, 100])(
    'recommends the %i highest sums of weights, and what is popular without a list',
    async (k) => {
      const out = [['item 3', 'item 4'], [], ['item 3', 'nothing'], ['item 29'], [], []];
      const { item, score } = await run('recommend', {
        user: strings(ASKED),
        exclude: padded(out),
        k: count(k),
      });
      expect(item.dims).toEqual([ASKED.length, Math.min(k, 30)]);
      for (const [at, user] of ASKED.entries()) {
        const expected = scoresOf(part, listOf(user));
        const items = rowsOf<string>(item)[at];
        expectList(items, rowsOf<number>(score)[at], expected);
        const left = expected.filter((_, row) => !out[at].map(rowIn).includes(row)).sort((a, b) => b - a);
        expect(Math.abs(Number(rowsOf<number>(score)[at][0]) - left[0])).toBeLessThan(CLOSE);
        expect(items.filter((id) => id !== '' && out[at].includes(id))).toEqual([]);
      }
    },
  );

  test('gives a known user’s own list, in any order, the user’s scores to the last bit', async () => {
    const users = [0, 3, 7, 11];
    const own = users.map((user) => lists[user].map((row) => `item ${row}`));
    const known = await run('recommend', {
      user: strings(users.map((user) => `user ${user}`)),
      exclude: padded(own),
      k: count(100),
    });
    const backwards = own.map((ids) => ['nothing', ...[...ids].reverse(), ids[0]]);
    const ratings = (ids: readonly string[]) => ids.map(() => 5);
    for (const [at, ids] of backwards.entries()) {
      const folded = await run('fold-in', {
        item: strings(ids),
        rating: floats(ratings(ids)),
        k: count(100),
      });
      expect([...folded.top_item.data]).toEqual(rowsOf(known.item)[at]);
      expect([...folded.top_score.data]).toEqual(rowsOf(known.score)[at]);
    }
    const items = padded(backwards);
    const rating = new Tensor('float32', new Float32Array(items.size).fill(5), items.dims);
    const many = await run('fold-in-many', { item: items, rating, k: count(100) });
    expect(rowsOf(many.top_item)).toEqual(rowsOf(known.item));
    expect(rowsOf(many.top_score)).toEqual(rowsOf(known.score));
  });

  test('what several items give is the sum of what each gives alone', async () => {
    const alone = async (items: readonly string[]): Promise<ReadonlyMap<string, number>> => {
      const { top_item, top_score } = await run('fold-in', {
        item: strings(items),
        rating: floats(items.map(() => 4)),
        k: count(30),
      });
      return new Map((top_item.data as string[]).map((item, at) => [item, Number(top_score.data[at])]));
    };
    const [both, one, other] = await Promise.all([
      alone(['item 2', 'item 9']),
      alone(['item 2']),
      alone(['item 9']),
    ]);
    for (const [item, score] of both)
      if (item !== '') expect(score).toBeCloseTo((one.get(item) ?? 0) + (other.get(item) ?? 0), 5);
  });

  test('folds in nobody, with what is popular, and what was not liked not at all', async () => {
    const popular = best(scoresOf(part, []), new Set(), 3).map(([row]) => `item ${row}`);
    for (const [items, ratings] of [
      [[], []],
      [['nothing'], [5]],
      [['item 0'], [1]],
    ] as const) {
      const { top_item } = await run('fold-in', {
        item: strings(items),
        rating: floats(ratings),
        k: count(3),
      });
      expect([...top_item.data]).toEqual(popular.filter((id) => !(items as readonly string[]).includes(id)));
    }
  });

  test('scores pairs', async () => {
    const items = ['item 3', 'item 29', 'item 5', 'item 0', 'nothing', 'item 1'];
    const { score, ...others } = await run('predict', { user: strings(ASKED), item: strings(items) });
    expect(others).toEqual({});
    for (const [at, user] of ASKED.entries()) {
      const expected = items[at] === 'nothing' ? 0 : scoresOf(part, listOf(user))[rowIn(items[at])];
      expect(Math.abs(Number(score.data[at]) - expected)).toBeLessThan(CLOSE);
    }
  });

  test('lists as similar what an item adds to', async () => {
    const asked = ['item 4', 'nothing', 'item 12'];
    const { similar, similarity } = await run('similar', { item: strings(asked), k: count(30) });
    for (const [at, id] of asked.entries()) {
      const found = rowsOf<string>(similar)[at].filter((item) => item !== '');
      const expected =
        id === 'nothing' ? [] : Array.from(part.counts, (_, to) => weightOf(part, rowIn(id), to));
      expect(found).toHaveLength(expected.filter((weight) => weight > 0).length);
      expectList(rowsOf<string>(similar)[at], rowsOf<number>(similarity)[at], expected);
    }
  });

  test('answers no one and nothing', async () => {
    const none = { exclude: padded([], 0), k: count(3) };
    expect((await run('recommend', { user: strings([]), ...none })).item.dims).toEqual([0, 3]);
    expect((await run('predict', { user: strings([]), item: strings([]) })).score.dims).toEqual([0]);
    expect((await run('similar', { item: strings([]), k: count(3) })).similar.dims).toEqual([0, 3]);
    const rating = new Tensor('float32', new Float32Array(0), [0, 0]);
    expect((await run('fold-in-many', { item: padded([], 0), rating, k: count(3) })).top_item.dims).toEqual([
      0, 3,
    ]);
  });

  test('has standard operators alone, no factors, and float16 weights', () => {
    expect(Object.keys(files).sort()).toEqual(
      ['fold-in-many', 'fold-in', 'predict', 'recommend', 'similar'].map((head) => `${head}.onnx`).sort(),
    );
    for (const { bytes } of Object.values(files)) {
      const { opsets, graph } = decodeModel(bytes);
      expect(Object.keys(opsets).sort()).toEqual(['', 'ai.onnx.ml']);
      expect(opsets['']).toBeLessThanOrEqual(16);
      expect(graph.nodes.every(({ domain }) => ['', 'ai.onnx.ml'].includes(domain))).toBe(true);
    }
  });
});
