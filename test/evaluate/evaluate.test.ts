import { beforeAll, describe, expect, test } from 'vitest';
import { Ratings, renumbered } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { evaluate } from '../../src/evaluate/evaluate.ts';
import { evaluateBaselines } from '../../src/evaluate/evaluate-baselines.ts';
import type { Group } from '../../src/evaluate/groups.ts';
import { metrics } from '../../src/evaluate/metrics.ts';
import { baselineRanker, itemsOfUsers } from '../../src/evaluate/rankers.ts';
import { ranking } from '../../src/evaluate/ranking.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { type Fitted, train } from '../../src/train/train.ts';
import { argumentError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';

const { train: ratings, valid } = randomSplit(lowRank(), 0.2, 1);
let model: Fitted;
let recommender: Recommender;

beforeAll(async () => {
  model = await train(ratings, { objective: 'rating', factors: 2 });
  recommender = await model.recommender();
});

function ratingsOf(rows: [user: string, item: string, rating: number][]): Ratings {
  const userIds = [...new Set(rows.map(([user]) => user))];
  const itemIds = [...new Set(rows.map(([, item]) => item))];
  return new Ratings({
    userIds,
    itemIds,
    users: Int32Array.from(rows, ([user]) => userIds.indexOf(user)),
    items: Int32Array.from(rows, ([, item]) => itemIds.indexOf(item)),
    ratings: Float32Array.from(rows, ([, , rating]) => rating),
  });
}

describe('evaluate', () => {
  test('agrees with the model that was trained', async () => {
    for (const part of [ratings, valid]) {
      const { rmse, mae, ...others } = await evaluate(recommender, part);
      const expected = await model.errors(part);
      expect(Math.abs(Number(rmse) - expected.rmse)).toBeLessThan(1e-6);
      expect(Math.abs(Number(mae) - expected.mae)).toBeLessThan(1e-6);
      expect(others).toMatchObject({ ratings: part.ratings.length, unknownUsers: 0, unknownItems: 0 });
    }
  });

  test('goes by ids, not by rows', async () => {
    const rows: [string, string, number][] = [
      ['user 7', 'item 3', 2],
      ['user 1', 'item 9', 5],
      ['user 7', 'item 9', 1],
    ];
    const predicted = await recommender.predict(
      rows.map(([user]) => user),
      rows.map(([, item]) => item),
    );
    expect(await evaluate(recommender, ratingsOf(rows))).toMatchObject({
      ...metrics(predicted, [2, 5, 1]),
      ratings: 3,
      unknownUsers: 0,
      unknownItems: 0,
    });
  });

  test('counts unknown users and items once each', async () => {
    const result = await evaluate(
      recommender,
      ratingsOf([
        ['stranger', 'item 3', 2],
        ['stranger', 'new', 5],
        ['user 1', 'new', 5],
        ['user 1', 'newer', 5],
        ['user 2', 'item 1', 5],
      ]),
    );
    expect(result).toMatchObject({ ratings: 5, unknownUsers: 1, unknownItems: 2 });
  });

  test('predicts the average for the unknown row, as a split leaves it', async () => {
    const unknown = new Ratings({
      ...valid,
      users: valid.users.slice().fill(ratings.userIds.length),
      items: valid.items.map((row, at) => (at % 2 ? row : ratings.itemIds.length)),
      unknown: { users: 1, items: 1 },
    });
    const { rmse } = await evaluate(recommender, unknown);
    expect(Math.abs(Number(rmse) - (await model.errors(unknown)).rmse)).toBeLessThan(1e-6);
  });

  test('without what users rated in training there is no ranking', async () => {
    const unseen = await model.recommender({ seen: false });
    const { ranking, noRanking, groups, intervals, rmse } = await evaluate(unseen, valid);
    expect([ranking, noRanking]).toEqual([undefined, 'unknown training']);
    expect(Object.keys(groups)).toEqual(['rating']);
    expect(intervals?.rmse[0]).toBeLessThan(Number(rmse));
    expect(intervals?.rmse[1]).toBeGreaterThan(Number(rmse));
  });

  test('a model that keeps it ranks as with the ratings themselves', async () => {
    const options = { k: [1, 5, 40], threshold: 3.5 };
    const given = await evaluate(recommender, valid, { ...options, train: ratings });
    const kept = await evaluate(await model.recommender({ seen: true }), valid, options);
    expect(kept).toEqual(given);
    expect(given.ranking?.at.map(({ k }) => k)).toEqual([1, 5, 40]);
    expect(given.groups.userActivity).toHaveLength(5);
    // Ids in another order are the same ratings.
    const turned = renumbered(ratings, {
      userIds: ratings.userIds.toReversed(),
      itemIds: ratings.itemIds.toReversed(),
    });
    expect(await evaluate(recommender, valid, { ...options, train: turned })).toEqual(given);
  });

  test('ranks as its predictions are', async () => {
    const { userIds, itemIds } = ratings;
    const predicted = await Promise.all(
      userIds.map((user) => recommender.predict(Array(itemIds.length).fill(user), itemIds)),
    );
    const rated = itemsOfUsers(ratings);
    const options = { k: [3, 10], threshold: 4 };
    const expected = await ranking(
      baselineRanker({ scores: (user) => predicted[user] }, rated),
      rated,
      valid,
      options,
    );
    const result = await evaluate(recommender, valid, { ...options, train: ratings });
    expect(result.ranking).toEqual(expected);
  });

  test('a model that only ranks has no errors, and its ranking is what its last epoch was judged by', async () => {
    const ranks = await train(
      ratings,
      { objective: 'ranking', factors: 4, epochs: 3, positive: 3 },
      { valid },
    );
    // Whatever counts as a positive, relevant is the last quarter of the scale.
    const options = { train: ratings };
    const evaluation = await evaluate(await ranks.recommender(), valid, options);
    expect(Object.keys(evaluation).sort()).toEqual(
      ['groups', 'overlap', 'ranking', 'ratings', 'unknownItems', 'unknownUsers'].sort(),
    );
    expect(evaluation.groups).toEqual({});
    const { ndcg, precision } = ranks.metrics.valid ?? {};
    expect(evaluation.ranking?.at[0].ndcg).toBeCloseTo(Number(ndcg), 12);
    expect(evaluation.ranking?.at[0].precision).toBeCloseTo(Number(precision), 12);
    expect(ndcg).toBe(Math.max(...ranks.history.map((epoch) => Number(epoch.valid?.ndcg))));
    expect(await ranks.rankingOn(valid)).toMatchObject({ ndcg, precision });
    expect(await ranks.rankingOn(valid, { threshold: 4.5 })).not.toMatchObject({ ndcg, precision });
  });

  test('a model of both objectives has the errors of its one part and the ranking of the other', async () => {
    const both = await train(ratings, { factors: 2, rankingFactors: 4, rankingEpochs: 2 });
    const { rmse, ranking, groups } = await evaluate(await both.recommender(), valid, { train: ratings });
    expect(Math.abs(Number(rmse) - (await both.errors(valid)).rmse)).toBeLessThan(1e-6);
    expect(ranking?.at[0].ndcg).toBeCloseTo(Number((await both.rankingOn(valid))?.ndcg), 12);
    expect(groups.rating?.length).toBeGreaterThan(0);
  });

  test('what is no recommender, no ratings, or no option', async () => {
    const asked = evaluate as unknown as (...given: unknown[]) => Promise<unknown>;
    const cases: [unknown[], string][] = [
      [['movies', valid], 'the recommender is "movies"; give a Recommender, such as that of load'],
      [[model, valid], 'the recommender is an object; give a Recommender'],
      [[], 'the recommender is undefined; give a Recommender'],
      [[recommender, null], 'the ratings are null; give Ratings, such as those of readRatings'],
      [[recommender, { ...valid }], 'give Ratings, such as'],
      [[recommender, valid, { train: 'ratings.csv' }], 'train is "ratings.csv"; give Ratings'],
      [[recommender, valid, { k: 10 }], 'k is 10; give a list of whole numbers from 1'],
      [[recommender, valid, { k: [10, 0] }], 'k is [10,0]; give a list of whole numbers from 1'],
      [[recommender, valid, { k: [2.5] }], 'k is [2.5]; give a list of whole numbers from 1'],
      [[recommender, valid, { k: [Number.NaN] }], '; give a list of whole numbers from 1'],
      [[recommender, valid, { threshold: '4' }], 'threshold is "4"; give a number'],
      [
        [recommender, valid, { ks: [5] }],
        'there is no option "ks"; the options are k, threshold, weighted, train',
      ],
      [[recommender, valid, null], 'the options are null'],
    ];
    for (const [given, message] of cases) expect(await argumentError(asked(...given))).toContain(message);
    const baselines = evaluateBaselines as unknown as typeof asked;
    expect(await argumentError(baselines(ratings))).toBe(
      'the ratings are undefined; give Ratings, such as those of readRatings',
    );
    expect(await argumentError(baselines(5, valid))).toMatch(/^the training ratings are 5; give Ratings/);
    expect(await argumentError(baselines(ratings, valid, { train: ratings }))).toMatch(/no option "train"/);
  });

  test('groups by counts in training; those of unknown users apart', async () => {
    const { groups } = await evaluate(
      recommender,
      ratingsOf([
        ['stranger', 'item 3', 2],
        ['user 1', 'new', 5],
        ['user 1', 'item 3', 4],
      ]),
      { train: ratings },
    );
    const count = (rows: Int32Array, row: number) => rows.filter((one) => one === row).length;
    const ofUser = count(ratings.users, ratings.userIds.indexOf('user 1'));
    const ofItem = count(ratings.items, ratings.itemIds.indexOf('item 3'));
    const ranges = (groups?: readonly Group[]) => groups?.map(({ from, to, ratings }) => [from, to, ratings]);
    expect(ranges(groups.userActivity)).toEqual([
      [0, 0, 1],
      [ofUser, ofUser, 2],
    ]);
    expect(ranges(groups.itemPopularity)).toEqual([
      [0, 0, 1],
      [ofItem, ofItem, 2],
    ]);
  });
});
