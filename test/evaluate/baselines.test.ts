import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { baselines } from '../../src/evaluate/baselines.ts';
import { evaluateBaselines } from '../../src/evaluate/evaluate-baselines.ts';
import { plainBiases } from '../support/biases.ts';
import { errorOfMean, lowRank } from '../support/low-rank.ts';
import { type Row, ratingsOf } from './ratings.ts';

const train = ratingsOf(3, 3, [
  [0, 0, 5],
  [0, 1, 4],
  [1, 0, 3],
  [2, 2, 2],
]);
const [users, items] = [Int32Array.of(0, 1, 3, 3), Int32Array.of(2, 3, 0, 3)];
const mean = 3.5;
const { user: ofUsers, item: ofItems } = plainBiases(train);
const damped = (deviations: readonly number[], damping: number): number =>
  deviations.reduce((sum, deviation) => sum + deviation, 0) / (deviations.length + damping);
const [item0, item1, item2] = [[1.5, -0.5], [0.5], [-1.5]].map((of) => damped(of, ofItems.damping));
const user0 = damped([1.5 - item0, 0.5 - item1], ofUsers.damping);
const user1 = damped([-0.5 - item0], ofUsers.damping);

describe('baselines', () => {
  test('the global mean', () => {
    const { predict, scores } = baselines['global-mean'](train);
    expect([...predict(users, items)]).toEqual([3.5, 3.5, 3.5, 3.5]);
    expect([...scores(0)]).toEqual([3.5, 3.5, 3.5]);
  });

  test('user and item means are damped, and those of unknown ids 0', () => {
    const { predict, scores } = baselines['user-item-means'](train);
    const expected = [mean + user0 + item2, mean + user1, mean + item0, mean];
    for (const [at, rating] of predict(users, items).entries()) expect(rating).toBeCloseTo(expected[at], 6);
    for (const [item, score] of scores(0).entries())
      expect(score).toBeCloseTo([item0, item1, item2][item], 6);
  });

  test('of equal ratings, means are that rating', () => {
    const equal = ratingsOf(3, 3, [
      [0, 0, 4],
      [0, 1, 4],
      [1, 0, 4],
    ]);
    expect([...baselines['user-item-means'](equal).predict(users, items)]).toEqual([4, 4, 4, 4]);
  });

  test('the most popular come first', () => {
    const { predict, scores } = baselines['most-popular'](train);
    expect([...scores(2)]).toEqual([2, 1, 1]);
    expect(predict(users, items)).toEqual(baselines['user-item-means'](train).predict(users, items));
  });

  test('nearest items are those rated alike; without any it is the damped means', () => {
    // Items 0 and 1 are rated alike, item 2 the other way round, and item 3 by nobody who rated another.
    const alike = ratingsOf(6, 4, [
      [0, 0, 5],
      [0, 1, 5],
      [0, 2, 1],
      [1, 0, 1],
      [1, 1, 1],
      [1, 2, 5],
      [2, 0, 5],
      [2, 1, 5],
      [2, 2, 1],
      [3, 0, 1],
      [3, 1, 1],
      [3, 2, 5],
      [4, 0, 5],
      [5, 3, 3],
    ]);
    const knn = baselines['item-knn'](alike);
    const means = baselines['user-item-means'](alike);
    const predict = (users: number[], items: number[]) => [
      knn.predict(Int32Array.from(users), Int32Array.from(items)),
      means.predict(Int32Array.from(users), Int32Array.from(items)),
    ];
    const [[near], [ofMeans]] = predict([4], [1]);
    expect(near).toBeGreaterThan(ofMeans + 0.5);
    const [unknown, expected] = predict([4, 4, 5, 6, 6, 0], [2, 3, 0, 0, 4, 4]);
    expect(unknown).toEqual(expected);
  });

  test('nearest items rank by the cosine of who has them, whatever the ratings', () => {
    const had = ratingsOf(3, 4, [
      [0, 0, 1],
      [0, 1, 5],
      [1, 0, 3],
      [1, 1, 2],
      [1, 2, 4],
      [2, 3, 4],
    ]);
    // Users have two, three and one of four items; items 0 and 1 are had by users 0 and 1, and item 2 by user 1.
    const [two, three] = [Math.log(3) ** 2, Math.log(1 + 4 / 3) ** 2];
    const alike = Math.sqrt(three / (two + three));
    const { scores } = baselines['item-knn'](train, had);
    const close = (user: number, expected: readonly number[]) => {
      for (const [item, score] of scores(user).entries()) expect(score).toBeCloseTo(expected[item], 6);
    };
    close(0, [1, 1, 2 * alike, 0]);
    close(1, [1 + alike, 1 + alike, 2 * alike, 0]);
    close(2, [0, 0, 0, 0]);
  });

  test('popularity counts the positives', () => {
    expect([...baselines['most-popular'](train, ratingsOf(3, 3, [[2, 2, 5]])).scores(0)]).toEqual([0, 0, 1]);
  });

  test('stay within the range of training', () => {
    const ratings = lowRank({ noise: 0.5 });
    const { low, high } = { low: Math.min(...ratings.ratings), high: Math.max(...ratings.ratings) };
    for (const make of Object.values(baselines)) {
      const predicted = make(ratings).predict(ratings.users, ratings.items);
      for (const rating of predicted) expect(rating >= low && rating <= high).toBe(true);
    }
  });

  test('are judged like a model', async () => {
    const ratings = lowRank();
    const judged = await evaluateBaselines(ratings, ratings, { k: [5] });
    expect(judged['global-mean'].rmse).toBeCloseTo(errorOfMean(ratings), 6);
    const rmse = (name: keyof typeof judged) => judged[name].rmse as number;
    expect(rmse('user-item-means')).toBeLessThan(rmse('global-mean'));
    expect(rmse('item-knn')).toBeLessThan(rmse('user-item-means'));
    expect(rmse('ease')).toBeUndefined();
    // All that is held out was rated in training.
    expect(judged['most-popular'].ranking).toBeUndefined();
    expect(judged['implicit-als']).toEqual({});
  });

  test('rank from the positives, and leave out all that was rated', async () => {
    // Item 0 is rated by most, and liked by none; users 0 and 1 rated item 1.
    const rows: Row[] = [
      [0, 0, 1],
      [1, 0, 1],
      [2, 0, 1],
      [0, 1, 1],
      [1, 1, 5],
      [2, 2, 5],
    ];
    const train = ratingsOf(4, 4, [...rows, [3, 3, 5]]);
    const heldOut = ratingsOf(4, 4, [
      [3, 1, 5],
      [0, 2, 5],
    ]);
    const judge = async (positive?: number | 'all') => {
      const judged = await evaluateBaselines(train, heldOut, { k: [1], ...(positive && { positive }) });
      return judged['most-popular'].ranking?.at[0];
    };
    // Users 0 and 3 get items 2 and 1, of those liked once the first that they have not rated.
    expect(await judge()).toMatchObject({ precision: 1 });
    expect(await judge(5)).toEqual(await judge());
    expect(await judge('all')).toMatchObject({ precision: 0.5 });
    await expect(judge(6)).rejects.toThrow(UserError);
    await expect(judge(6)).rejects.toThrow(
      'no training rating is 6 or higher; give a lower `positive`, or all',
    );
    await expect(judge('some' as 'all')).rejects.toThrow('give a rating, or all');
  });
});
