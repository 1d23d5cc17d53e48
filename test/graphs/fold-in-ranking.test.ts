import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { expect, describe as group, test } from 'vitest';
import type { LearnedRanking } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import { best, count, floats, headsOfParts, padded, rowsOf, strings } from '../support/heads.ts';
import { itemsAlone } from '../support/own.ts';
import { drawn, RANKED, type Ranked, rowsIn } from '../support/ranked.ts';

web.env.wasm.numThreads = 1;

type Rating = readonly [item: number, rating: number];

/** Items 40 and above are unknown. */
const PEOPLE: readonly (readonly Rating[])[] = [
  [
    [3, 5],
    [8, 1],
    [3, 5],
    [20, 4],
    [40, 5],
  ],
  [],
  [
    [1, 3.5],
    [2, 1],
  ],
  [[29, 4.5]],
  [
    [50, 5],
    [60, 4],
  ],
  Array.from({ length: 12 }, (_, at): Rating => [2 * at, 1 + (at % 5)]),
];

const id = ([item]: Rating): string => `item ${item}`;

async function folding(part: LearnedRanking, vocabulary: ReturnType<typeof drawn>['vocabulary']) {
  const { files, run } = await headsOfParts({ ranking: part, vocabulary });
  const one = async (ratings: readonly Rating[], k = 5) =>
    run('fold-in', {
      item: strings(ratings.map(id)),
      rating: floats(ratings.map(([, one]) => one)),
      k: count(k),
    });
  return { files, run, one };
}

/** The feeds for several people. */
function several(people: readonly (readonly Rating[])[], k = 5) {
  const width = Math.max(0, ...people.map(({ length }) => length));
  const numbers = people.flatMap((list) => [
    ...list.map(([, one]) => one),
    ...Array<number>(width - list.length).fill(0),
  ]);
  return {
    item: padded(people.map((list) => list.map(id))),
    rating: new node.Tensor('float32', Float32Array.from(numbers), [people.length, width]),
    k: count(k),
  };
}

const numbersOf = ({ data }: node.Tensor): number[] => [...(data as Float32Array)];

const farthest = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, one, index) => Math.max(most, Math.abs(one - b[index])), 0);

/** The rows that minimise the loss of a list as far as ten steps of Adagrad go, by differences, in double precision. */
function foldedPlainly({ score }: Ranked, part: LearnedRanking, ratings: readonly Rating[]) {
  const items = part.counts.length;
  const { positive, userDecay, trained } = part;
  const [weight, power] = userDecay;
  const liked = ratings.filter(([item, one]) => item < items && (positive === 'all' || one >= positive));
  const had = [...new Set(liked.map(([item]) => item))];
  const ofItems = Array.from({ length: items }, (_, row) => rowsIn(part, 'item', row));
  const zero = Object.entries(rowsIn(part, 'user', 0)).map(
    ([name, row]) => [name, row.map(() => 0)] as const,
  );
  const names = zero.flatMap(([name, row]) => row.map(() => name));
  const isMatrix = names.map((name) => trained[name].dims.length > 1);
  const named = (flat: readonly number[]) =>
    Object.fromEntries(zero.map(([name]) => [name, flat.filter((_, at) => names[at] === name)]));
  const scoresOf = (flat: readonly number[]) => ofItems.map((item) => score(named(flat), item, trained));
  const lossOf = (flat: readonly number[]) => {
    const scores = scoresOf(flat);
    const top = Math.max(...scores);
    const total = top + Math.log(scores.reduce((sum, one) => sum + Math.exp(one - top), 0));
    const decay = flat.reduce((sum, one, at) => sum + (isMatrix[at] ? one * one : 0), 0);
    return had.reduce((sum, item) => sum + total - scores[item], 0) + weight * had.length ** power * decay;
  };
  let flat: readonly number[] = names.map(() => 0);
  const sums = names.map(() => 0);
  for (let step = 0; had.length > 0 && step < 10; step++) {
    const rate = 0.15 * (1 + Math.cos((Math.PI * step) / 10));
    const at = (place: number, way: number) => flat.map((one, index) => (index === place ? one + way : one));
    const slopes = names.map((_, place) => (lossOf(at(place, 1e-5)) - lossOf(at(place, -1e-5))) / 2e-5);
    flat = flat.map((one, place) => {
      sums[place] += slopes[place] ** 2;
      return one - (rate * slopes[place]) / (Math.sqrt(sums[place]) + 0.1 * had.length);
    });
  }
  const popular = Array.from({ length: items }, (_, row) => Math.log(part.counts[row] + 1));
  return { flat, rows: named(flat), scores: had.length > 0 ? scoresOf(flat) : popular };
}

group.each(RANKED.map((ranked) => [ranked.name, ranked] as const))('fold-in of %s', async (_, ranked) => {
  const { part, vocabulary } = drawn(ranked.definition);
  const { run, one } = await folding(part, vocabulary);

  test.each(PEOPLE.map((ratings) => [ratings]))('takes ten steps from zero: %j', async (ratings) => {
    const { top_item, top_score, ...rows } = await one(ratings, 30);
    const expected = foldedPlainly(ranked, part, ratings);
    expect(Object.keys(rows)).toEqual(Object.keys(expected.rows));
    for (const [name, row] of Object.entries(expected.rows)) {
      expect(rows[name].dims).toEqual([...part.model.parameters[name].dims.slice(1), 1].slice(0, 1));
      expect(farthest(numbersOf(rows[name]), row), name).toBeLessThan(2e-3);
    }
    const top = best(expected.scores, new Set(ratings.map(([item]) => item)), 30);
    const scores = numbersOf(top_score);
    for (const [place, [, score]] of top.entries())
      expect(Math.abs(scores[place] - score)).toBeLessThan(5e-3);
    const given = (top_item.data as string[]).filter((name) => name !== '');
    expect(given.toSorted()).toEqual(top.map(([row]) => `item ${row}`).toSorted());
    expect(scores.slice(given.length).every((score) => score === 0)).toBe(true);
  });

  test('of several people is that of each', async () => {
    const all = await run('fold-in-many', several(PEOPLE));
    for (const [at, ratings] of PEOPLE.entries()) {
      const alone = await one(ratings);
      expect(rowsOf(all.top_item)[at]).toEqual(alone.top_item.data);
      expect(farthest(rowsOf<number>(all.top_score)[at], numbersOf(alone.top_score))).toBeLessThan(1e-4);
      for (const name of Object.keys(alone).filter((name) => !name.startsWith('top_'))) {
        const width = alone[name].data.length;
        const row = numbersOf(all[name]).slice(at * width, (at + 1) * width);
        expect(farthest(row, numbersOf(alone[name]))).toBeLessThan(1e-4);
      }
    }
  });

  test('of nobody, and of people without ratings', async () => {
    const none = await run('fold-in-many', several([], 4));
    expect(none.top_item.dims).toEqual([0, 4]);
    expect(none.top_score.dims).toEqual([0, 4]);
    for (const [name, { dims }] of Object.entries(part.model.parameters).filter(([name]) => none[name]))
      expect(none[name].dims).toEqual([0, ...dims.slice(1)]);
    const { top_item, top_score } = await run('fold-in-many', several([[], []], 4));
    const popular = best(Array.from(part.counts), new Set(), 4);
    for (const row of [0, 1]) {
      expect(rowsOf(top_item)[row]).toEqual(popular.map(([item]) => `item ${item}`));
      const logarithms = popular.map(([, ratings]) => Math.log(ratings + 1));
      expect(farthest(rowsOf<number>(top_score)[row], logarithms)).toBeLessThan(1e-5);
    }
  });
});

test('all known items are positive where all are', async () => {
  const [ranked] = RANKED;
  const { part, vocabulary } = drawn(ranked.definition, { positive: 'all', userDecay: [0.1, 0.75] });
  const { one } = await folding(part, vocabulary);
  const { user_factors } = await one(PEOPLE[0]);
  const { rows } = foldedPlainly(ranked, part, PEOPLE[0]);
  expect(farthest(numbersOf(user_factors), rows.user_factors)).toBeLessThan(1e-3);
  const low = await one(PEOPLE[0].map(([item]) => [item, 1]));
  expect(low.user_factors.data).toEqual(user_factors.data);
});

test('a model without parameters of users gives all the same', async () => {
  const { part, vocabulary } = drawn(itemsAlone);
  const { run, one } = await folding(part, vocabulary);
  const scores = [...part.trained.item_bias.data];
  const { top_item, top_score, ...rows } = await run('fold-in-many', several(PEOPLE, 50));
  expect(rows).toEqual({});
  for (const [at, ratings] of PEOPLE.entries()) {
    const expected = best(scores, new Set(ratings.map(([item]) => item)), 50).map(([row]) => `item ${row}`);
    const found = (row: readonly string[]) => row.filter((name) => name !== '');
    expect(found(rowsOf<string>(top_item)[at])).toEqual(expected);
    expect(found((await one(ratings, 50)).top_item.data as string[])).toEqual(expected);
  }
  expect(top_score.dims).toEqual([PEOPLE.length, 30]);
});

test.each([dotBias({ factors: 64 }), mlp({ factors: 16, hidden: [8] })])(
  'hundreds of positives give finite numbers, also on several threads and in WebAssembly (%#)',
  async (definition) => {
    const { part, vocabulary } = drawn(definition, { items: 600, users: 40 });
    const { files } = await folding(part, vocabulary);
    const people = [500, 3, 600].map((length) => Array.from({ length }, (_, at): Rating => [at, 5]));
    const feeds = several(people, 10);
    const bytes = files['fold-in-many.onnx'].bytes;
    const sessions = [
      await node.InferenceSession.create(bytes, { intraOpNumThreads: 1 }),
      await node.InferenceSession.create(bytes, { intraOpNumThreads: 4 }),
      (await web.InferenceSession.create(bytes)) as unknown as node.InferenceSession,
    ];
    const [first, ...others] = await Promise.all(sessions.map((session) => session.run(feeds)));
    const rows = numbersOf(first.user_factors);
    expect([...rows, ...numbersOf(first.top_score)].every(Number.isFinite)).toBe(true);
    expect(rowsOf<string>(first.top_item)[2].every((item) => item === '')).toBe(true);
    for (const other of others) {
      expect(farthest(numbersOf(other.user_factors), rows)).toBeLessThan(1e-3);
      expect(rowsOf(other.top_item)[0]).toEqual(rowsOf(first.top_item)[0]);
    }
    for (const session of sessions) await session.release();
  },
);
