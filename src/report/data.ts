import { readSeen } from '../artifact/seen.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { type Ratings, renumbered, selectRows } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import { idsOf } from '../evaluate/evaluate.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import type { Recommender } from '../recommend/recommender.ts';

/** Ratings with what the model predicts for them. */
export interface Judged extends Metrics {
  readonly predicted: Float32Array;
  readonly actual: Float32Array;
  /** How many ratings there are, of which those above are all, or a part. */
  readonly given: number;
  /** For each rating how many ratings its user has, and its item. */
  readonly activity: Float32Array;
  readonly popularity: Float32Array;
  /** Whether these numbers are of the training ratings, or of those given. */
  readonly activityOf: 'training' | 'given';
  readonly popularityOf: 'training' | 'given';
  /** How many ratings have a user or an item that the model has never seen. */
  readonly unknown: number;
  /** The error of who predicts the mean of the training ratings for all. */
  readonly baseline: Metrics;
  /** How many pairs are among those that the model was made from; undefined where its files do not tell. */
  readonly seen?: number;
}

/** Of more ratings than these, as many are predicted, evenly spread over them. */
const MOST = 1_000_000;

export async function judge(recommender: Recommender, given: Ratings): Promise<Judged> {
  const { artifact, items: facts } = recommender;
  const known = readVocabulary(artifact);
  const [userCounts, itemCounts] = [
    countsOf(given.users, given.userIds.length),
    countsOf(given.items, given.itemIds.length),
  ];
  const step = Math.max(1, given.ratings.length / MOST);
  const length = Math.floor(given.ratings.length / step);
  const chosen = selectRows(
    given,
    Int32Array.from({ length }, (_, at) => Math.floor(at * step)),
  );
  const { users, items, ratings: actual } = renumbered(chosen, known);
  const predicted = await recommender.predict(idsOf(users, known.userIds), idsOf(items, known.itemIds));
  const seen = readSeen(artifact);
  const activity = seen
    ? Float32Array.from(users, (row) => seen[row]?.length ?? 0)
    : Float32Array.from(chosen.users, (row) => userCounts[row]);
  const popularity =
    facts.length > 0
      ? Float32Array.from(items, (row) => facts[row]?.ratings ?? 0)
      : Float32Array.from(chosen.items, (row) => itemCounts[row]);
  const { mean } = artifact.manifest.data;
  return {
    predicted,
    actual,
    given: given.ratings.length,
    ...metrics(predicted, actual),
    activity,
    popularity,
    activityOf: seen ? 'training' : 'given',
    popularityOf: facts.length > 0 ? 'training' : 'given',
    unknown: users.filter((row, at) => row >= known.userIds.length || items[at] >= known.itemIds.length)
      .length,
    baseline: metrics(new Float32Array(length).fill(mean), actual),
    ...(seen && { seen: pairsAmong(seen, users, items, known) }),
  };
}

/** The last is of the unknown row. */
function countsOf(rows: Int32Array, ids: number): Int32Array {
  const counts = new Int32Array(ids + 1);
  for (const row of rows) counts[row]++;
  return counts;
}

/** How many pairs of a user and an item are among those seen. */
function pairsAmong(
  seen: readonly Int32Array[],
  users: Int32Array,
  items: Int32Array,
  { userIds, itemIds }: ReturnType<typeof readVocabulary>,
): number {
  const lastUser = new Int32Array(itemIds.length + 1).fill(-1);
  let pairs = 0;
  let user = 0;
  for (const places of indicesByUser(users, userIds.length + 1)) {
    for (const item of seen[user] ?? []) lastUser[item] = user;
    for (const place of places) if (lastUser[items[place]] === user) pairs++;
    user++;
  }
  return pairs;
}
