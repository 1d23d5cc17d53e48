import type { Vocabulary, WeightsRanking } from '../../graphs/heads/serving.ts';
import { CHUNK, type ItemWeights } from '../../graphs/models/item-item.ts';
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
  const order = Array.from({ length: items }, (_, item) => item);
  const drawn = order.map((from) =>
    normals(items, 0.3, random).map((weight, to) => (to === from ? 0 : weight)),
  );
  const weights = width >= items ? whole(drawn) : chunked(drawn, width);
  // The last user has nothing.
  const lists = Array.from({ length: users }, (_, user) =>
    user === users - 1 ? [] : order.filter((item) => uniforms(1, random)[0] < 0.2 || item === user % items),
  );
  const starts = new Int32Array(users + 1);
  for (const [user, { length }] of lists.entries()) starts[user + 1] = starts[user] + length;
  const part: WeightsRanking = {
    model: { name: 'item-item', config: {} },
    weights,
    lists: { starts, items: Int32Array.from(lists.flat()) },
    positive: 4,
    counts: order.map((row) => (11 * row + 5) % items),
    ...settings,
  };
  const vocabulary: Vocabulary = { userIds: idsOf('user', users), itemIds: idsOf('item', items) };
  return { part, vocabulary, lists };
}

function whole(drawn: readonly Float32Array[]): ItemWeights {
  const items = drawn.length;
  const values = new Float32Array((items + 1) ** 2);
  for (const [item, row] of drawn.entries()) values.set(row, item * (items + 1));
  return { items, values };
}

/** Of the first items more weights than fit into a chunk, of others none. */
function chunked(drawn: readonly Float32Array[], width: number): ItemWeights {
  const items = drawn.length;
  const starts = new Int32Array(items + 2);
  const [values, neighbors]: number[][] = [[], []];
  for (const [item, row] of drawn.entries()) {
    const own = [...row.keys()].filter(
      (other) => other !== item && (other * 7 + item) % 11 < (item % 4 ? width : 0),
    );
    const size = Math.ceil(own.length / CHUNK) * CHUNK;
    values.push(...own.map((other) => row[other]), ...Array<number>(size - own.length).fill(0));
    neighbors.push(...own, ...Array<number>(size - own.length).fill(items));
    starts[item + 1] = starts[item] + size / CHUNK;
  }
  starts[items + 1] = starts[items] + 1;
  return {
    items,
    values: Float32Array.from([...values, ...Array<number>(CHUNK).fill(0)]),
    chunks: { starts, neighbors: Int32Array.from([...neighbors, ...Array<number>(CHUNK).fill(items)]) },
  };
}

/** The weight from one item to another. */
export function weightOf(
  { weights: { items, values, chunks } }: WeightsRanking,
  from: number,
  to: number,
): number {
  if (!chunks) return values[from * (items + 1) + to];
  const [start, end] = [chunks.starts[from] * CHUNK, chunks.starts[from + 1] * CHUNK];
  const at = chunks.neighbors.subarray(start, end).indexOf(to);
  return at < 0 ? 0 : values[start + at];
}

/** The scores of all items for a list; those of popular items for an empty one. */
export const scoresOf = (part: WeightsRanking, list: readonly number[]): number[] =>
  Array.from(part.counts, (count, item) =>
    list.length === 0 ? Math.log1p(count) : list.reduce((sum, one) => sum + weightOf(part, one, item), 0),
  );
