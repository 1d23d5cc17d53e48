import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastQuarter } from '../../src/data/dataset/positives.ts';
import { baselineRanker } from '../../src/evaluate/rankers.ts';
import { type Ranking, ranking, rankingMeans } from '../../src/evaluate/ranking.ts';
import { runs } from '../support/soak.ts';
import { type Row, ratingsOf } from './ratings.ts';

interface Case {
  /** [users, items] */
  readonly scores: readonly (readonly number[])[];
  readonly rated: readonly (readonly number[])[];
  readonly heldOut: readonly Row[];
}

/** `heldOut` by rows of as many items as there are scores. */
function rank({ scores, rated, heldOut }: Case, k: number[], threshold = 4): Promise<Ranking | undefined> {
  const rows = rated.map((items) => Int32Array.from(items));
  const ranker = baselineRanker({ scores: (user) => Float32Array.from(scores[user]) }, rows);
  return ranking(ranker, rows, ratingsOf(scores.length, scores[0].length, heldOut), { k, threshold });
}

const measuresOf = ({ intervals, k, coverage, gini, novelty, ...measures }: Ranking['at'][number]) =>
  measures;

const cases = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 12 }))
  .chain(([users, items]) => {
    const each = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: users, maxLength: users });
    const row = (most: number) => fc.uniqueArray(fc.integer({ min: 0, max: items - 1 }), { maxLength: most });
    return fc.record({
      scores: each(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: items, maxLength: items })),
      rated: each(row(items >> 1)),
      heldOut: each(row(items)).map((lists) =>
        lists.flatMap((list, user) => list.map((item): Row => [user, item, 1 + ((item + user) % 5)])),
      ),
    });
  });

/** The same by the definitions, one user after the other. */
function naive({ scores, rated, heldOut }: Case, k: number) {
  const users = scores.flatMap((ofUser, user) => {
    const relevant = heldOut
      .filter(([of, item, rating]) => of === user && rating >= 4 && !rated[user].includes(item))
      .map(([, item]) => item);
    if (relevant.length === 0) return [];
    const list = [...ofUser.keys()]
      .filter((item) => !rated[user].includes(item))
      .sort((a, b) => ofUser[b] - ofUser[a] || a - b)
      .slice(0, k);
    const hits = list.map((item) => Number(relevant.includes(item)));
    const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
    const found = sum(hits);
    const gain = (hits: number[]) => sum(hits.map((hit, rank) => hit / Math.log2(rank + 2)));
    const precisionAt = (rank: number) => sum(hits.slice(0, rank + 1)) / (rank + 1);
    const first = hits.indexOf(1);
    return [
      {
        precision: found / k,
        recall: found / relevant.length,
        ndcg: gain(hits) / gain(Array(Math.min(k, relevant.length)).fill(1)),
        map: sum(hits.map((hit, rank) => hit * precisionAt(rank))) / relevant.length,
        mrr: first < 0 ? 0 : 1 / (first + 1),
        hitRate: Number(found > 0),
      },
    ];
  });
  const mean = (name: keyof (typeof users)[number]) =>
    users.reduce((sum, user) => sum + user[name], 0) / users.length;
  return {
    users: users.length,
    precision: mean('precision'),
    recall: mean('recall'),
    ndcg: mean('ndcg'),
    map: mean('map'),
    mrr: mean('mrr'),
    hitRate: mean('hitRate'),
  };
}

describe('ranking metrics', () => {
  test('are what a hand reckons', async () => {
    const result = await rank(
      {
        // The first user's list is 2, 3, 1 and the second's 0, 2, 3.
        scores: [
          [9, 1, 3, 2],
          [4, 8, 3, 3],
        ],
        rated: [[0], [1]],
        heldOut: [
          [0, 3, 5],
          [0, 1, 4],
          [0, 2, 3],
          [1, 0, 4],
        ],
      },
      [1, 2],
    );
    const log = Math.log2;
    expect(result).toMatchObject({ users: 2, withoutRelevant: 0, threshold: 4 });
    const [one, two] = result?.at ?? [];
    expect(one).toMatchObject({ k: 1, precision: 0.5, recall: 0.5, ndcg: 0.5, map: 0.5, mrr: 0.5 });
    expect(one).toMatchObject({ hitRate: 0.5, coverage: 0.5 });
    expect(two).toMatchObject({ k: 2, precision: 0.5, recall: 0.75, mrr: 0.75, hitRate: 1, coverage: 0.75 });
    expect(two.ndcg).toBeCloseTo((1 / log(3) / (1 + 1 / log(3)) + 1) / 2, 12);
    // The first user's second item is relevant, and one more is not in the list.
    expect(two.map).toBeCloseTo((0.5 / 2 + 1) / 2, 12);
    // Of four items two are in one list each: (1 · 1 + 3 · 1) / (3 · 2). Then the numbers of lists are 0, 1, 1, 2.
    expect(one.gini).toBeCloseTo(2 / 3, 12);
    expect(two.gini).toBeCloseTo((-1 + 1 + 3 * 2) / (3 * 4), 12);
    // Items 2, 0 and 2, 3, of two users: one rated item 0, nobody the others, which count as rated by one.
    expect(two.novelty).toBeCloseTo(1, 12);
  });

  test('leave out users without a relevant item, and count them', async () => {
    const result = await rank(
      {
        scores: [
          [1, 2],
          [1, 2],
          [1, 2],
        ],
        rated: [[], [], []],
        heldOut: [
          [0, 1, 5],
          [1, 1, 3],
          // Training does not know this user.
          [3, 1, 5],
        ],
      },
      [1],
    );
    expect(result).toMatchObject({ users: 1, withoutRelevant: 1 });
    expect(result?.at[0]).toMatchObject({ precision: 1, hitRate: 1 });
  });

  test('count an item that training does not know as missed', async () => {
    const heldOut: Row[] = [
      [0, 0, 5],
      [0, 2, 5],
    ];
    const result = await rank({ scores: [[2, 1]], rated: [[]], heldOut }, [2]);
    expect(result?.at[0]).toMatchObject({ recall: 0.5, precision: 0.5, map: 0.5, mrr: 1 });
  });

  test('are none where nobody has a relevant item that was not rated in training', async () => {
    expect(await rank({ scores: [[2, 1]], rated: [[0]], heldOut: [[0, 0, 5]] }, [2])).toBeUndefined();
    expect(await rank({ scores: [[2, 1]], rated: [[0]], heldOut: [[0, 1, 3]] }, [2])).toBeUndefined();
  });

  test('take no time for a list that is longer than the catalogue', async () => {
    const heldOut: Row[] = [
      [0, 1, 5],
      [0, 2, 5],
      [0, 2, 5],
    ];
    const result = await rank({ scores: [[2, 1]], rated: [[]], heldOut }, [2, 1e9]);
    expect(result?.at[1]).toMatchObject({ k: 1e9, precision: 1e-9, recall: 1 / 3, map: 1 / 6 });
    // Three are relevant, of which the list of two has the second.
    const log = Math.log2;
    expect(result?.at[1].ndcg).toBeCloseTo(1 / log(3) / (1 + 1 / log(3) + 1 / log(4)), 12);
  });

  test('a rating that is the threshold is relevant, though it is kept as a float', async () => {
    const heldOut: Row[] = [[0, 0, 0.7]];
    const result = await rank({ scores: [[2, 1]], rated: [[]], heldOut }, [1], 0.7);
    expect(result).toMatchObject({ users: 1, threshold: 0.7 });
  });

  test('a list of nothing has no novelty', async () => {
    const heldOut: Row[] = [[0, 2, 5]];
    const result = await rank({ scores: [[2, 1]], rated: [[0, 1]], heldOut }, [1]);
    expect(result?.at[0]).toMatchObject({ precision: 0, coverage: 0, gini: 0, novelty: 0 });
  });

  test('Gini is 1 where everybody gets the same item, 0 where all get each', async () => {
    const scores = [
      [3, 2, 1],
      [3, 2, 1],
    ];
    const heldOut: Row[] = [
      [0, 2, 5],
      [1, 2, 5],
    ];
    const result = await rank({ scores, rated: [[], []], heldOut }, [1, 2, 3]);
    // At 2 the numbers of lists are 0, 2, 2.
    expect(result?.at.map(({ gini }) => gini)).toEqual([1, 4 / (2 * 4), 0]);
    const alone = await rank({ scores: [[1]], rated: [[]], heldOut: [[0, 0, 5]] }, [1]);
    expect(alone?.at[0].gini).toBe(0);
  });

  test('are those of the definitions, for all k at once', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 15 }), async (one, k) => {
        const result = await rank(one, [k, 3]);
        const expected = [k, 3].map((k) => naive(one, k));
        if (!result) {
          expect(expected[0].users).toBe(0);
          return;
        }
        for (const [index, at] of result.at.entries())
          for (const [name, value] of Object.entries({ users: result.users, ...measuresOf(at) }))
            expect(value).toBeCloseTo(expected[index][name as 'users'], 12);
      }),
      { numRuns: runs(100, 2000) },
    );
  });

  test('are from 0 to 1, and within their intervals', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 15 }), async (one, k) => {
        const [at] = (await rank(one, [k]))?.at ?? [];
        if (!at) return;
        for (const value of [...Object.values(measuresOf(at)), at.coverage, at.gini]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
        expect(at.novelty).toBeGreaterThanOrEqual(0);
        for (const [name, [low, high]] of Object.entries(at.intervals)) {
          expect(low).toBeLessThanOrEqual(at[name as 'map'] + 1e-12);
          expect(high).toBeGreaterThanOrEqual(at[name as 'map'] - 1e-12);
        }
      }),
      { numRuns: runs(50, 500) },
    );
  });

  test('are 1 where relevant items come first', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const scores = one.scores.map((ofUser, user) =>
          ofUser.map((score, item) =>
            one.heldOut.some(([of, held, rating]) => of === user && held === item && rating >= 4)
              ? 10 + score
              : score,
          ),
        );
        const [at] = (await rank({ ...one, scores }, [12]))?.at ?? [];
        if (!at) return;
        for (const name of ['recall', 'ndcg', 'map', 'mrr', 'hitRate'] as const)
          expect(at[name]).toBeCloseTo(1, 12);
      }),
      { numRuns: runs(50, 500) },
    );
  });

  test('do not depend on the order of users, nor of held-out ratings', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ scores, rated, heldOut }) => {
        const last = scores.length - 1;
        const turned = {
          scores: scores.toReversed(),
          rated: rated.toReversed(),
          heldOut: heldOut.toReversed().map(([user, ...rest]): Row => [last - user, ...rest]),
        };
        const [one, other] = [await rank({ scores, rated, heldOut }, [4]), await rank(turned, [4])];
        expect(other?.users).toBe(one?.users);
        for (const [name, value] of Object.entries(one ? measuresOf(one.at[0]) : {}))
          expect(other?.at[0][name as 'map']).toBeCloseTo(value, 12);
      }),
      { numRuns: runs(50, 500) },
    );
  });
});

test('the last quarter of a scale', () => {
  expect(lastQuarter({ low: 1, high: 5 })).toBe(4);
  expect(lastQuarter({ low: 10, high: 100 })).toBe(77.5);
  expect(lastQuarter({ low: -10, high: 10 })).toBe(5);
});

test('means are the same without intervals', async () => {
  const rated = [Int32Array.of(0), Int32Array.of(1)];
  const ranker = baselineRanker({ scores: () => Float32Array.of(1, 2, 3, 4) }, rated);
  const heldOut = ratingsOf(2, 4, [
    [0, 2, 5],
    [1, 3, 4],
  ]);
  const options = { k: [1, 3], threshold: 4 };
  const whole = await ranking(ranker, rated, heldOut, options);
  expect(await rankingMeans(ranker, rated, heldOut, options)).toEqual({
    ...whole,
    at: whole?.at.map(({ intervals: _, ...means }) => means),
  });
});
