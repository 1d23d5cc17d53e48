import { Tensor } from 'onnxruntime-common';
import { mapValues } from '../util/map-values.ts';
import type { FoldedIn, ItemRating } from './answers.ts';
import { padded, paddedNumbers, recommendedOf, rowOf, strings } from './tensors.ts';

/** Runs a head on tensors. */
export type Run = (head: string, feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>;

/** A person's ratings by item. */
export type Latest = ReadonlyMap<string, number>;

/** Of several ratings of an item, the last counts, as in training. */
export const latestOf = (ratings: readonly ItemRating[]): Latest =>
  new Map(ratings.map(({ item, rating }) => [item, rating]));

/** Whether ratings are those of several people. An empty list is one person, who has rated nothing. */
export const isOfSeveral = (
  ratings: readonly ItemRating[] | readonly (readonly ItemRating[])[],
): ratings is readonly (readonly ItemRating[])[] =>
  Array.isArray(ratings) && ratings.length > 0 && ratings.every(isList);

const isList = (one: unknown): boolean =>
  Array.isArray(one) && one.every((rating) => typeof rating === 'object');

/** @param k int64[1] */
export async function foldedIn(run: Run, ratings: Latest, k: Tensor): Promise<FoldedIn> {
  const answer = await run('fold-in', {
    item: strings([...ratings.keys()]),
    rating: new Tensor('float32', Float32Array.from(ratings.values()), [ratings.size]),
    k,
  });
  const { top_item, top_score, top_rating, ...rows } = answer;
  const [recommended] = recommendedOf({ item: top_item, score: top_score, rating: top_rating });
  return { parameters: mapValues(rows, ({ data }) => data as Float32Array), recommended };
}

/**
 * @param k int64[1]
 * @param atOnce the most people in one run; undefined for a model that takes one at a time
 */
export async function allFoldedIn(
  run: Run,
  people: readonly Latest[],
  k: Tensor,
  atOnce: number | undefined,
): Promise<FoldedIn[]> {
  const folded: FoldedIn[] = [];
  if (atOnce === undefined) {
    for (const one of people) folded.push(await foldedIn(run, one, k));
    return folded;
  }
  // Chunk by chunk, because the longest list of a chunk makes all of its lists as long.
  for (let from = 0; from < people.length; from += atOnce) {
    const some = people.slice(from, from + atOnce);
    const answer = await run('fold-in-many', {
      item: padded(some.map((one) => [...one.keys()])),
      rating: paddedNumbers(some.map((one) => [...one.values()])),
      k,
    });
    const { top_item, top_score, ...tables } = answer;
    for (const [row, recommended] of recommendedOf({ item: top_item, score: top_score }).entries())
      folded.push({ parameters: mapValues(tables, (table) => rowOf(table, row)), recommended });
  }
  return folded;
}
