import type { Vocabulary, WeightsRanking } from '../../graphs/heads/serving.ts';
import { generator, normals, uniforms } from '../../src/util/random.ts';
import { idsOf } from './ranked.ts';

/** A model of weights between items, as if it were computed for these users and items. Half of its weights are negative. */
export function drawnWeights({
  users = 20,
  items = 30,
  width = items,
  ...settings
}: { users?: number; items?: number; width?: number } & Partial<WeightsRanking> = {}) {
  const random = generator(6);
  const isWhole = width >= items;
  const columns = isWhole ? items + 1 : width;
  const values = normals((items + 1) * columns, 0.3, random);
  const neighbors = isWhole ? undefined : new Int32Array(values.length).fill(items);
  const order = Array.from({ length: items }, (_, item) => item);
  for (let item = 0; item < items; item++) {
    for (const at of isWhole ? [item, items] : []) values[item * columns + at] = 0;
    const others = order
      .filter((other) => other !== item)
      .sort((a, b) => ((a * 7 + item) % 11) - ((b * 5) % 13));
    neighbors?.set(others.slice(0, width), item * columns);
  }
  values.fill(0, items * columns);
  // The last user has nothing.
  const lists = Array.from({ length: users }, (_, user) =>
    user === users - 1 ? [] : order.filter((item) => uniforms(1, random)[0] < 0.2 || item === user % items),
  );
  const starts = new Int32Array(users + 1);
  for (const [user, { length }] of lists.entries()) starts[user + 1] = starts[user] + length;
  const part: WeightsRanking = {
    model: { name: 'item-item', config: {} },
    weights: { items, values, neighbors },
    lists: { starts, items: Int32Array.from(lists.flat()) },
    positive: 4,
    counts: order.map((row) => (11 * row + 5) % items),
    ...settings,
  };
  const vocabulary: Vocabulary = { userIds: idsOf('user', users), itemIds: idsOf('item', items) };
  return { part, vocabulary, lists };
}

/** The weight from one item to another. */
export function weightOf(
  { weights: { items, values, neighbors } }: WeightsRanking,
  from: number,
  to: number,
): number {
  const columns = values.length / (items + 1);
  if (!neighbors) return values[from * columns + to];
  const at = neighbors.subarray(from * columns, (from + 1) * columns).indexOf(to);
  return at < 0 ? 0 : values[from * columns + at];
}

/** The scores of all items for a list; those of popular items for an empty one. */
export const scoresOf = (part: WeightsRanking, list: readonly number[]): number[] =>
  Array.from(part.counts, (count, item) =>
    list.length === 0 ? Math.log1p(count) : list.reduce((sum, one) => sum + weightOf(part, one, item), 0),
  );
