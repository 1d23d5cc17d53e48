import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RatingPart } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { readArtifact } from '../../src/artifact/artifact.ts';
import { buildHeads, type HeadParts } from '../../src/artifact/heads.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { readVocabulary } from '../../src/artifact/vocabulary.ts';
import { isKnown } from '../../src/recommend/known.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { randomParameters } from '../graphs/models.ts';
import { userError } from '../support/files.ts';
import { made } from '../support/made.ts';
import { drawn } from '../support/ranked.ts';

const runtime = await nodeRuntime();
const { part: ranking, vocabulary } = drawn(dotBias({ factors: 4 }));
const { userIds, itemIds } = vocabulary;
const definition = dotBias({ factors: 3 });
const model = definition({ users: 20, items: 30, ratings: 500, low: 1, high: 5, mean: 3 });
const rating: RatingPart = { model, trained: randomParameters(model), error: 0.5 };

/** The artifact of one model or two; `batch` is the most rows of a run. */
async function artifactOf(parts: Pick<HeadParts, 'rating' | 'ranking'>, batch?: number): Promise<Artifact> {
  const seen = { users: Int32Array.of(0, 0, 3), items: Int32Array.of(4, 9, 4) };
  const heads = await buildHeads({ ...parts, vocabulary, runtime, seen });
  const { manifest } = made('dot-bias');
  const objective = parts.rating ? 'rating' : 'ranking';
  return {
    manifest: {
      ...manifest,
      training: { ...manifest.training, objective },
      ...(parts.rating && parts.ranking && { ranking: { ...manifest, training: { objective: 'ranking' } } }),
      files: mapValues(heads, (head) => ({
        bytes: head.bytes.length,
        sha256: '',
        batch: batch ?? head.batch,
      })),
    },
    files: mapValues(heads, ({ bytes }) => bytes),
  };
}

const open = async (parts: Pick<HeadParts, 'rating' | 'ranking'>, batch?: number) =>
  Recommender.create(await artifactOf(parts, batch), runtime);

const [ranks, rates, both] = [
  await open({ ranking }),
  await open({ rating }),
  await open({ rating, ranking }),
];

const people = [
  [
    { item: 'item 3', rating: 5 },
    { item: 'item 8', rating: 1 },
    { item: 'nothing', rating: 5 },
  ],
  [],
  [{ item: 'item 20', rating: 4 }],
  itemIds.map((item, at) => ({ item, rating: 1 + (at % 5) })).slice(2),
  [
    { item: 'item 20', rating: 1 },
    { item: 'item 20', rating: 4 },
  ],
];

const ids = (list: readonly { readonly item: string }[]) => list.map(({ item }) => item);

describe('a model that ranks', () => {
  test('says what it was trained for', () => {
    expect([ranks.objective, rates.objective, both.objective]).toEqual(['ranking', 'rating', 'both']);
  });

  test('has scores in its lists, and ratings only where it predicts them', async () => {
    const asked = [...userIds, 'nobody'];
    const lists = await ranks.recommend(asked, { k: 30 });
    for (const [at, list] of lists.entries()) {
      const scores = await ranks.score(
        list.map(() => asked[at]),
        ids(list),
      );
      for (const [place, one] of list.entries()) {
        expect(Object.keys(one)).toEqual(['item', 'score']);
        expect(Math.abs(one.score - scores[place])).toBeLessThan(1e-5);
        expect(one.score).toBeLessThanOrEqual(list[place - 1]?.score ?? one.score);
      }
      // What was rated in training is left out: of the first user and the fourth.
      expect(list).toHaveLength(30 - ([2, 0, 0, 1][at] ?? 0));
    }
    const withRatings = await both.recommend(asked, { k: 30 });
    for (const [at, list] of withRatings.entries()) {
      expect(list.map(({ item, score }) => ({ item, score }))).toEqual(lists[at]);
      const predicted = await both.predict(
        list.map(() => asked[at]),
        ids(list),
      );
      for (const [place, { rating = Number.NaN }] of list.entries())
        expect(Math.abs(rating - predicted[place])).toBeLessThan(1e-5);
    }
  });

  test('gives what is popular to who is unknown, and tells so without a session', async () => {
    const fresh = await open({ ranking });
    expect(isKnown(fresh, 'user 3')).toBe(true);
    expect(isKnown(fresh, ['nobody', 'user 0', ''])).toEqual([false, true, false]);
    const counts = Array.from(ranking.counts);
    const popular = itemIds.toSorted((a, b) => counts[itemIds.indexOf(b)] - counts[itemIds.indexOf(a)]);
    expect(ids(await fresh.recommend('nobody', { k: 5 }))).toEqual(popular.slice(0, 5));
    const { files, manifest } = await artifactOf({ ranking });
    const { 'predict.onnx': _, ...others } = files;
    const without = await Recommender.create({ manifest, files: others }, runtime);
    expect(isKnown(without, ['nobody', 'user 3'])).toEqual([false, true]);
    const none = await Recommender.create({ manifest, files: {} }, runtime);
    expect(await userError(Promise.resolve().then(() => isKnown(none, 'user 3')))).toMatch(
      /predict.onnx is about users and was not loaded/,
    );
    expect(await userError(Promise.resolve().then(() => isKnown(fresh, 3 as never)))).toMatch(/give '3'/);
  });

  test('predicts no ratings, and gives scores', async () => {
    expect(await userError(ranks.predict('user 0', 'item 0'))).toBe(
      'the model predicts no ratings, because it was trained to rank; ask score(users, items)',
    );
    const some = await ranks.score(['user 0', 'user 1'], ['item 0', 'item 1']);
    expect(await ranks.score('user 1', 'item 1')).toBe(some[1]);
    expect(await userError(ranks.score(['user 0'], []))).toMatch(/^1 users but 0 items; /);
    expect(await userError(ranks.score(['user 0'], 'item 0' as never))).toMatch(
      /^score takes a user and an item, /,
    );
    // σ makes ratings of the scores of a model of ratings.
    const [score, rating] = [await rates.score('user 0', 'item 0'), await rates.predict('user 0', 'item 0')];
    expect(rating).toBeCloseTo(5.5 / (1 + Math.exp(-score)), 5);
    expect(await userError(both.score('user 0', 'item 0'))).toMatch(
      /ask predict\(users, items\), or recommend/,
    );
  });
});

describe('fold-in of several people', () => {
  test.each([1, 2, 3, 100])('is that of each, %i at once', async (batch) => {
    for (const parts of [{ ranking }, { rating }, { rating, ranking }]) {
      const recommender = await open(parts, batch);
      const options = { k: 4, exclude: ['item 7', 'nothing'] };
      const all = await recommender.foldIn(people, options);
      expect(all).toHaveLength(people.length);
      for (const [at, one] of people.entries()) {
        const { recommended, parameters } = await recommender.foldIn(one, options);
        expect(ids(all[at].recommended)).toEqual(ids(recommended));
        expect(ids(recommended)).not.toContain('item 7');
        expect(Object.keys(all[at].parameters)).toEqual(Object.keys(parameters));
        for (const [name, row] of Object.entries(parameters)) {
          expect(all[at].parameters[name]).toHaveLength(row.length);
          for (const [place, number] of row.entries())
            expect(Math.abs(all[at].parameters[name][place] - number)).toBeLessThan(1e-4);
        }
        const hasRatings = 'rating' in parts;
        for (const found of recommended) expect('rating' in found).toBe(hasRatings);
        for (const found of all[at].recommended) expect('rating' in found).toBe(!('ranking' in parts));
      }
      await recommender.release();
    }
  });

  test('counts the last rating of an item, and is of none for none', async () => {
    const [once, twice] = [people[2], people[4]];
    expect(await ranks.foldIn(twice)).toEqual(await ranks.foldIn(once));
    expect(await ranks.foldIn([twice])).toEqual(await ranks.foldIn([once]));
    const none = await ranks.foldIn([]);
    expect(Object.values(none.parameters).every((row) => row.every((one) => one === 0))).toBe(true);
    expect(await ranks.foldIn([[]])).toEqual([none]);
    expect(ids(none.recommended)).toEqual(ids(await ranks.recommend('nobody')));
  });

  test('refuses what is no rating of any of them', async () => {
    const wrong = [people[0], [{ item: 'item 1', rating: 9 }]];
    expect(await userError(ranks.foldIn(wrong))).toMatch(/^the rating of "item 1" is 9; /);
    expect(await userError(ranks.foldIn([people[0], people[0][0]] as never))).toMatch(/ is no rating; /);
  });
});

test.each([1, 2])('models of format %i have ratings, which are their scores', async (format) => {
  const old = await Recommender.create(
    await readArtifact(join('test/support/artifacts', `format-${format}`)),
    runtime,
  );
  expect(old.objective).toBe('rating');
  const [item, other] = ids(old.items);
  const [user] = readVocabulary(old.artifact).userIds;
  const ratings = [{ item, rating: 4 }];
  const { recommended } = await old.foldIn(ratings);
  for (const { score, rating } of [...(await old.recommend(user)), ...recommended])
    expect(score).toBe(rating);
  expect(await old.score(user, other)).toBe(await old.predict(user, other));
  expect(await old.foldIn([ratings])).toEqual([await old.foldIn(ratings)]);
});
