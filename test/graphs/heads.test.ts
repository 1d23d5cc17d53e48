import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { expect, describe as group, test } from 'vitest';
import { seenGraph } from '../../graphs/heads/seen.ts';
import type { Tensors } from '../../graphs/heads/serving.ts';
import { topItems } from '../../graphs/heads/top-items.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { DataFacts, ModelDefinition } from '../../graphs/models/model.ts';
import * as onnx from '../../src/onnx/index.ts';
import { neuralFactorization } from '../support/factorization.ts';
import { allRatings, best, count, headsOf, padded, rowsOf, strings } from '../support/heads.ts';
import { attention, distance, itemsAlone, usersAlone } from '../support/own.ts';
import { dot, randomParameters, rowOf, scaled } from './models.ts';

web.env.wasm.numThreads = 1;

const userIds = ['7', 'ünï', '07', '👩‍👩‍👧', ' ', 'x'.repeat(10_000)];
const itemIds = ['1', '01', '电影', 'caf\u00e9', 'cafe\u0301', 'a\nb', '\u0001', '🎬', ' '];
const facts: DataFacts = {
  users: userIds.length,
  items: itemIds.length,
  ratings: 9,
  low: 1,
  high: 5,
  mean: 3,
};
const vocabulary = { userIds, itemIds };

/** A row of each user, and of each item; an id that is not among them has the row after the last. */
const rowIn = (ids: readonly string[], id: string): number =>
  ids.includes(id) ? ids.indexOf(id) : ids.length;

const definitions: ModelDefinition[] = [
  dotBias({ factors: 3 }),
  mlp({ factors: [3, 2], hidden: [6, 5] }),
  neuralFactorization({ factors: 3, hidden: 4 }),
  distance,
  attention,
  itemsAlone,
];
const models = definitions.map((definition) => definition(facts));

group('the top items', () => {
  const items = 6;
  const ids = Array.from({ length: items }, (_, row) => `item ${row}`);
  const scores = onnx.input('scores', 'float', ['n', items + 1]);
  const excluded = onnx.input('excluded', 'int64', ['n', 'm']);
  const k = onnx.input('k', 'int64', [1]);
  const { items: found, scores: highest } = topItems(scores, excluded, k, ids);
  const file = onnx.buildModel({ name: 'top', inputs: [scores, excluded, k], outputs: { found, highest } });

  test('are the highest, of equal ones the first rows, without those left out', async () => {
    const session = await InferenceSession.create(onnx.encodeModel(file));
    // Few different scores, so that many are equal; the last is that of an unknown item.
    const score = fc.constantFrom(-2, 0, 0.5, 3);
    const row = fc.array(score, { minLength: items + 1, maxLength: items + 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.nat(8),
        fc.integer({ min: 0, max: 9 }),
        fc.gen(),
        async (rows, width, wanted, draw) => {
          const left = rows.map(() => Array.from({ length: width }, () => draw(fc.nat, items)));
          const results = await session.run({
            scores: new Tensor('float32', rows.flat(), [rows.length, items + 1]),
            excluded: new Tensor('int64', BigInt64Array.from(left.flat(), BigInt), [rows.length, width]),
            k: count(wanted),
          });
          const width_ = Math.min(wanted, items);
          const expected = rows.map((row, at) => best(row, new Set([...left[at], items]), width_));
          const fill = <T>(list: T[], other: T) => [...list, ...Array<T>(width_ - list.length).fill(other)];
          expect(rowsOf(results.found)).toEqual(
            expected.map((row) =>
              fill(
                row.map(([at]) => ids[at]),
                '',
              ),
            ),
          );
          expect(rowsOf(results.highest)).toEqual(
            expected.map((row) =>
              fill(
                row.map(([, score]) => score),
                0,
              ),
            ),
          );
        },
      ),
    );
    await session.release();
  });
});

group.each(models.map((model) => [model.name, model] as const))('heads of %s', async (_, model) => {
  const trained = randomParameters(model);
  const ratings = await allRatings(model, trained);
  const { files, run } = await headsOf(model, trained, vocabulary);
  const names = Object.keys(files);

  test('recommend gives the highest ratings of the items that are not excluded', async () => {
    const user = fc.constantFrom(...userIds, 'nobody', '', '7 ');
    const item = fc.constantFrom(...itemIds, 'nothing', '', '1 ');
    const asked = fc.record({ user, exclude: fc.array(item, { maxLength: 12 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(asked, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 12 }),
        async (asked, k) => {
          const results = await run('recommend', {
            user: strings(asked.map(({ user }) => user)),
            exclude: padded(asked.map(({ exclude }) => exclude)),
            k: count(k),
          });
          const width = Math.min(k, itemIds.length);
          expect(results.item.dims).toEqual([asked.length, width]);
          expect(results.rating.dims).toEqual([asked.length, width]);
          expect(results.score.dims).toEqual([asked.length, width]);
          const [ids, given] = [rowsOf<string>(results.item), rowsOf<number>(results.rating)];
          const scores = rowsOf<number>(results.score);
          for (const [at, { user, exclude }] of asked.entries()) {
            const out = new Set([...exclude.map((id) => rowIn(itemIds, id)), itemIds.length]);
            const expected = best(ratings[rowIn(userIds, user)] ?? ratings[0], out, width);
            const names = expected.map(([row]) => itemIds[row]);
            expect(ids[at]).toEqual([...names, ...Array<string>(width - names.length).fill('')]);
            for (const [index, rating] of given[at].entries())
              expect(Math.abs(rating - (expected[index]?.[1] ?? 0))).toBeLessThan(1e-5);
            for (const [index, score] of scores[at].slice(0, names.length).entries())
              expect(given[at][index]).toBeCloseTo(model.range ? scaled(score, model.range) : score, 5);
            expect(scores[at].slice(names.length).every((score) => score === 0)).toBe(true);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('recommend leaves nothing where all is excluded', async () => {
    const exclude = padded([itemIds, itemIds.slice(1)]);
    const { item, rating } = await run('recommend', { user: strings(['7', '7']), exclude, k: count(2) });
    expect(item.data).toEqual(['', '', '1', '']);
    expect(Array.from(rating.data as Float32Array, (one) => one === 0)).toEqual([true, true, false, true]);
  });

  test('similar gives the items of the highest cosine, without the item itself', async () => {
    const tables = Object.entries(model.parameters).filter(
      ([, { rowsOf, dims }]) => rowsOf === 'item' && dims.length === 2,
    );
    expect(names.includes('similar.onnx')).toBe(tables.length > 0);
    if (tables.length === 0) return;
    const vectors = itemIds.map((_, row) =>
      tables.flatMap(([name, { dims }]) => rowOf(trained[name].data, dims[1], row)),
    );
    const cosine = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const asked = [...itemIds, 'nothing', '', '🎬'];
    for (const k of [1, 3, itemIds.length - 1, 20]) {
      const { similar, similarity } = await run('similar', { item: strings(asked), k: count(k) });
      const width = Math.min(k, itemIds.length);
      expect(similar.dims).toEqual([asked.length, width]);
      const given = rowsOf<number>(similarity);
      for (const [at, ids] of rowsOf<string>(similar).entries()) {
        const row = itemIds.indexOf(asked[at]);
        const cosines = vectors.map((vector) => (row < 0 ? 0 : cosine(vectors[row], vector)));
        const expected = row < 0 ? [] : best(cosines, new Set([row]), width);
        const names = expected.map(([other]) => itemIds[other]);
        expect(ids).toEqual([...names, ...Array<string>(width - names.length).fill('')]);
        for (const [index, number] of given[at].entries())
          expect(Math.abs(number - (expected[index]?.[1] ?? 0))).toBeLessThan(1e-5);
      }
    }
  });

  test('factors gives each item its row of every item parameter, and an unknown one the average', async () => {
    const tables = Object.entries(model.parameters).filter(([, { rowsOf }]) => rowsOf === 'item');
    const asked = [...itemIds, 'nothing', '', '🎬'];
    const found = await run('factors', { item: strings(asked) });
    expect(Object.keys(found)).toEqual(tables.map(([name]) => name));
    for (const [name, { dims }] of tables) {
      expect(found[name].dims).toEqual([asked.length, ...dims.slice(1)]);
      const width = dims[1] ?? 1;
      const expected = asked.flatMap((id) => rowOf(trained[name].data, width, rowIn(itemIds, id)));
      expect(found[name].data).toEqual(Float32Array.from(expected));
    }
  });

  test('answer nobody with nothing, in Node and in WebAssembly', async () => {
    const feeds: Record<string, Record<string, Tensor>> = {
      predict: { user: strings([]), item: strings([]) },
      recommend: { user: strings([]), exclude: strings([], [0, 3]), k: count(4) },
      similar: { item: strings([]), k: count(4) },
      factors: { item: strings([]) },
    };
    for (const [head, fed] of Object.entries(feeds)) {
      if (!names.includes(`${head}.onnx`)) continue;
      const inWasm = await web.InferenceSession.create(files[`${head}.onnx`].bytes);
      for (const results of [await run(head, fed), await inWasm.run(fed as never)])
        for (const [name, { dims }] of Object.entries(results)) {
          const rest =
            head === 'predict' ? [] : head === 'factors' ? model.parameters[name].dims.slice(1) : [4];
          expect(dims).toEqual([0, ...rest]);
        }
      await inWasm.release();
    }
  });
});

test.each<[string, ModelDefinition]>([
  ['dot-bias', dotBias({ factors: 40 })],
  ['mlp', mlp({ factors: [3, 40], hidden: [5] })],
])('factors of %s in int8 are off by half a step of their row at most', async (_, definition) => {
  const items = 200;
  const ids = Array.from({ length: items }, (_, row) => `${row}`);
  const model = definition({ ...facts, items });
  const trained = randomParameters(model);
  const { files, run } = await headsOf(model, trained, { userIds, itemIds: ids }, { precision: 'int8' });
  expect(files['factors.onnx'].bytes.length).toBeLessThan(2 * 40 * items);
  const { item_factors } = await run('factors', { item: strings([...ids, 'nothing']) });
  for (const [at, row] of rowsOf<number>(item_factors).entries()) {
    const exact = rowOf(trained.item_factors.data, 40, at);
    const step = Math.max(...exact.map(Math.abs)) / 127;
    for (const [column, one] of row.entries())
      expect(Math.abs(one - exact[column])).toBeLessThan(0.501 * step);
  }
});

test('a model without parameters of items has no factors', async () => {
  const model = usersAlone(facts);
  const { files } = await headsOf(model, randomParameters(model), vocabulary);
  expect(Object.keys(files)).not.toContain('factors.onnx');
});

test.each<[number, ModelDefinition]>([
  [1, dotBias({ factors: 3 })],
  [10, mlp({ factors: 3, hidden: [10, 4] })],
  [4, neuralFactorization({ factors: 3, hidden: 4 })],
  [3, distance],
  [3, attention],
])('a run of recommend holds few tensors of %i numbers a pair at once (%#)', async (width, definition) => {
  const items = 9999;
  const model = definition({ ...facts, items });
  const ids = Array.from({ length: items }, (_, row) => `${row}`);
  const seen = {
    users: new Int32Array(5000).fill(2),
    items: Int32Array.from({ length: 5000 }, (_, row) => row),
  };
  const { files } = await headsOf(model, randomParameters(model), { userIds, itemIds: ids }, { seen });
  const most = 3 * 2 ** 18;
  expect(files['recommend.onnx'].batch).toBe(Math.floor(most / (width * 10_000)));
  expect(files['seen.onnx'].batch).toBe(Math.floor(most / 5000));
  expect(files['fold-in.onnx'].batch).toBeUndefined();
});

test('factors that are all zero are similar to nothing, and the first rows come first', async () => {
  const model = dotBias({ factors: 2 })(facts);
  const { item_factors, ...rest } = randomParameters(model);
  const data = item_factors.data.map((one, index) => (index < 4 ? 0 : one));
  const trained: Tensors = { ...rest, item_factors: { ...item_factors, data } };
  const { run } = await headsOf(model, trained, vocabulary);
  const { similar, similarity } = await run('similar', { item: strings(['1', '电影']), k: count(20) });
  const [ofZero, ofOther] = rowsOf<string>(similar);
  expect(ofZero.slice(0, -1)).toEqual(itemIds.slice(1));
  const [zeros, others] = rowsOf<number>(similarity);
  expect(new Set(zeros)).toEqual(new Set([0]));
  for (const [index, id] of ofOther.slice(0, -1).entries())
    expect(others[index] === 0).toBe(id === '1' || id === '01');
});

group('seen', () => {
  async function seenBy(items: readonly string[], ratings: readonly [user: number, item: number][]) {
    const [rows, rated] = [0, 1].map((side) => Int32Array.from(ratings, (rating) => rating[side]));
    const parts = seenGraph({ userIds: ['a', 'b', 'c'], itemIds: items }, rows, rated);
    const bytes = onnx.encodeModel(onnx.buildModel(parts));
    const session = await InferenceSession.create(bytes);
    const ask = async (users: string[]) => {
      const { item } = await session.run({ user: strings(users) });
      expect(item.dims[0]).toBe(users.length);
      return rowsOf<string>(item);
    };
    return { ask, bytes: bytes.length };
  }

  test('is what each user rated, in the order of the ratings', async () => {
    const { ask } = await seenBy(itemIds, [
      [2, 5],
      [0, 1],
      [2, 0],
      [2, 8],
      [0, 3],
    ]);
    expect(await ask(['c', 'b', 'a', 'nobody', 'c'])).toEqual([
      ['a\nb', '1', ' '],
      ['', '', ''],
      ['01', 'caf\u00e9', ''],
      ['', '', ''],
      ['a\nb', '1', ' '],
    ]);
    expect(await ask(['a'])).toEqual([['01', 'caf\u00e9']]);
    expect(await ask(['nobody', ''])).toEqual([[], []]);
    expect(await ask([])).toEqual([]);
  });

  test('is nothing where there are no ratings', async () => {
    const { ask } = await seenBy(itemIds, []);
    expect(await ask(['a', 'nobody'])).toEqual([[], []]);
  });

  test('takes two bytes a rating, and four of more than 65,535 items', async () => {
    const of = (items: number) => {
      const ids = Array.from({ length: items }, (_, row) => `${row}`);
      const rows = [items - 1, 0, ...Array.from({ length: 10_000 }, (_, at) => (7 * at) % items)];
      return Promise.all(
        [rows, []].map((some) =>
          seenBy(
            ids,
            some.map((row) => [1, row]),
          ),
        ),
      );
    };
    for (const [items, size] of [
      [65_535, 2],
      [65_536, 4],
    ]) {
      const [full, empty] = await of(items);
      const [rated] = await full.ask(['b']);
      expect(rated.slice(0, 4)).toEqual([`${items - 1}`, '0', '0', '7']);
      expect(rated).toHaveLength(10_002);
      expect(await full.ask(['a'])).toEqual([[]]);
      expect(Math.abs(full.bytes - empty.bytes - 10_002 * size)).toBeLessThan(100);
    }
  });
});
