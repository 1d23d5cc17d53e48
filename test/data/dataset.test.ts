import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/data/dataset/dataset.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';

const made = (ratings = [1, 5, 3, 3]) =>
  new Ratings({
    userIds: ['anna', 'ben'],
    itemIds: ['Heat', 'Rio', 'Up'],
    users: Int32Array.of(0, 0, 1, 1),
    items: Int32Array.of(0, 2, 0, 3),
    ratings: Float32Array.from(ratings),
    unknown: { users: 0, items: 1 },
  });

describe('ratings in memory', () => {
  test('say what they are, without what has no id', () => {
    const data: Dataset = made();
    expect(data.name).toBe('the ratings');
    expect(data.storedIn).toBeUndefined();
    expect(data.facts).toEqual({
      ...{ kind: 'ratings', users: 2, items: 3, ratings: 4 },
      ...{ low: 1, high: 5, mean: 3 },
    });
    expect([...data.itemCounts]).toEqual([2, 0, 1]);
    // Nobody rated Rio: it has the average of all.
    expect([...data.itemAverages]).toEqual([2, 3, 5]);
  });

  test('count when they are first asked, and once', () => {
    const data = made();
    data.ratings[0] = 2;
    const { facts, itemCounts, itemAverages } = data;
    expect([facts.low, facts.mean, itemAverages[0]]).toEqual([2, 3.25, 2.5]);
    data.ratings[0] = 1;
    expect(data.facts).toBe(facts);
    expect(data.itemCounts).toEqual(itemCounts);
    expect(data.itemAverages).toEqual(itemAverages);
  });

  test('are all there in a sample, and still after they are closed', async () => {
    const data = made();
    await data.close();
    const { users, items, ratings } = await data.sample();
    expect([users, items, ratings]).toEqual([data.users, data.items, data.ratings]);
    expect(await data.hashes()).toBe(await made().hashes());
    expect(await data.hashes()).not.toBe(await made([1, 5, 3, 4]).hashes());
  });

  test('keep what they are made of, but not what was counted before', () => {
    const data = made();
    expect(data.facts.mean).toBe(3);
    const more = new Ratings({ ...data, ratings: Float32Array.of(5, 5, 5, 1), name: 'mine.csv' });
    expect(more).toMatchObject({ name: 'mine.csv', unknown: { users: 0, items: 1 } });
    expect(more.userIds).toBe(data.userIds);
    expect(more.facts.mean).toBe(4);
  });
});
