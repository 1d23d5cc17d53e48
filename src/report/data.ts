import { readSeen } from '../artifact/seen.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { type Ratings, renumbered, selectRows } from '../data/dataset/ratings.ts';
import { idsOf } from '../evaluate/evaluate.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import { pairsAmong } from '../evaluate/overlap.ts';
import type { Recommender } from '../recommend/recommender.ts';

/** Ratings with the model's predictions. */
export interface Judged extends Metrics {
  readonly predicted: Float32Array;
  readonly actual: Float32Array;
  /** Number of ratings before sampling. */
  readonly given: number;
  /** For each rating, the number of ratings of its user, and of its item. */
  readonly activity: Float32Array;
  readonly popularity: Float32Array;
  /** Whether these are numbers of training ratings, or of the given ratings. */
  readonly activityOf: 'training' | 'given';
  readonly popularityOf: 'training' | 'given';
  /** Number of ratings with an unknown user or item. */
  readonly unknown: number;
  /** Errors of predicting the mean of the training ratings. */
  readonly baseline: Metrics;
  /** Number of ratings that the model was trained on or chosen with; undefined if its files do not say. */
  readonly seen?: number;
}

/** If there are more ratings, an even sample of so many is predicted. */
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
      ? Float32Array.from(items, (row) => facts[row]?.count ?? 0)
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
    ...(seen && { seen: pairsAmong(seen, { users, items }, known) }),
  };
}

/** Number of ratings of each row; the last element is for the unknown row. */
function countsOf(rows: Int32Array, ids: number): Int32Array {
  const counts = new Int32Array(ids + 1);
  for (const row of rows) counts[row]++;
  return counts;
}
