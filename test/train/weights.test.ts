import { expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { itemsOfUsers, recommenderRanker } from '../../src/evaluate/rankers.ts';
import { type Fitted, train } from '../../src/train/train.ts';
import { generator, shuffled } from '../../src/util/random.ts';
import { plays } from '../support/made-up/plays.ts';

/** How often users played artists. People who like an artist more play it more often. */
function played(seed: number): Ratings {
  const rows = plays(seed)
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const [userIds, itemIds] = [0, 1].map((column) => [...new Set(rows.map((row) => row[column]))]);
  return new Ratings({
    kind: 'interactions',
    userIds,
    itemIds,
    users: Int32Array.from(rows, ([user]) => userIds.indexOf(user)),
    items: Int32Array.from(rows, ([, artist]) => itemIds.indexOf(artist)),
    ratings: Float32Array.from(rows, ([, , count]) => Number(count)),
  });
}

/** The same pairs with counts of others, by chance. */
function mixedUp(data: Ratings): Ratings {
  const order = shuffled(data.ratings.length, generator(1, 1));
  return new Ratings({ ...data, ratings: Float32Array.from(order, (index) => data.ratings[index]) });
}

/** NDCG at 10 of each user with held-out items. */
async function ndcgs(fitted: Fitted, known: Ratings, valid: Ratings): Promise<number[]> {
  const rated = itemsOfUsers(known);
  const users = [...new Set(valid.users)].filter((user) => rated[user].length > 0);
  const lists = await recommenderRanker(await fitted.recommender(), known, rated)(Int32Array.from(users), 10);
  const wanted = itemsOfUsers(valid);
  return users.map((user, index) => {
    const gains = Array.from({ length: 10 }, (_, rank) => 1 / Math.log2(rank + 2));
    const sum = (of: readonly number[]): number => of.reduce((total, one) => total + one, 0);
    const gain = gains.filter((_, rank) => wanted[user].includes(lists[index * 10 + rank]));
    return sum(gain) / sum(gains.slice(0, wanted[user].length));
  });
}

test('counts that follow tastes make rankings better', async () => {
  const differences: number[] = [];
  for (const seed of [1, 2, 3]) {
    const { train: known, valid } = randomSplit(played(seed), 0.2, 1);
    const [weighted, alike] = [await train(known, {}), await train(known, { weights: 'none' })];
    expect(weighted.plan.training).toMatchObject({ weights: 'log' });
    const others = await ndcgs(alike, known, valid);
    differences.push(...(await ndcgs(weighted, known, valid)).map((one, index) => one - others[index]));
  }
  const mean = differences.reduce((sum, one) => sum + one, 0) / differences.length;
  const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (differences.length - 1);
  // The lower end of a 95 % interval over users.
  expect(mean - 1.96 * Math.sqrt(variance / differences.length)).toBeGreaterThan(0);
});

test('counts by chance, or by how active users are, do not weigh', async () => {
  const data = played(1);
  const habit = shuffled(data.userIds.length, generator(1, 2));
  const byHabit = new Ratings({
    ...data,
    ratings: data.ratings.map((_, index) => 1 + habit[data.users[index]] + (index % 7)),
  });
  for (const other of [mixedUp(data), mixedUp(played(2)), mixedUp(played(3)), byHabit]) {
    const [chosen, alike, weighted] = await Promise.all(
      [{}, { weights: 'none' } as const, { weights: 'log' } as const].map(async (recipe) => {
        const fitted = await train(other, { ...recipe, factors: 2, epochs: 1 });
        return (await fitted.artifact()).manifest;
      }),
    );
    expect(chosen.training.weights).toBe('none');
    expect(chosen.history).toEqual(alike.history);
    expect(weighted.training.weights, 'where that is asked for').toBe('log');
    expect(weighted.history).not.toEqual(alike.history);
  }
});
