import { Tensor } from 'onnxruntime-common';
import { mapValues } from '../util/map-values.ts';
import type { FoldedIn, Own } from './answers.ts';
import { padded, paddedNumbers, recommendedOf, rowOf, strings } from './tensors.ts';

/** Runs a head on tensors. */
export type Run = (head: string, feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>;

/** What a person has, by item: ratings, or undefined for a model of interactions. */
export type Latest = ReadonlyMap<string, number | undefined>;

/** Of several ratings of an item, the last counts, as in training. */
export const latestOf = (own: Own): Latest =>
  new Map(own.map((one) => (typeof one === 'string' ? [one, undefined] : [one.item, one.rating])));

/** Whether these are the lists of several people. An empty list is one person, who has nothing. */
export const isOfSeveral = (lists: Own | readonly Own[]): lists is readonly Own[] =>
  Array.isArray(lists) && lists.length > 0 && lists.every(isList);

const isList = (one: unknown): boolean =>
  Array.isArray(one) && one.every((own) => typeof own === 'object' || typeof own === 'string');

const ratingsOf = (latest: Latest): number[] => [...latest.values()].filter((rating) => rating !== undefined);

/** What every person's fold-in needs. */
export interface FoldInRun {
  readonly run: Run;
  /** Number of items, int64[1]. */
  readonly k: Tensor;
  /** Whether people give ratings, not only items. */
  readonly isRated: boolean;
  /** The most people in one run; undefined for a model that takes one at a time. */
  readonly atOnce: number | undefined;
}

export async function foldedIn(own: Latest, { run, k, isRated }: FoldInRun): Promise<FoldedIn> {
  const answer = await run('fold-in', {
    item: strings([...own.keys()]),
    ...(isRated && { rating: new Tensor('float32', Float32Array.from(ratingsOf(own)), [own.size]) }),
    k,
  });
  const { top_item, top_score, top_rating, ...rows } = answer;
  const [recommended] = recommendedOf({ item: top_item, score: top_score, rating: top_rating });
  return { parameters: mapValues(rows, ({ data }) => data as Float32Array), recommended };
}

export async function allFoldedIn(people: readonly Latest[], how: FoldInRun): Promise<FoldedIn[]> {
  const { run, k, isRated, atOnce } = how;
  const folded: FoldedIn[] = [];
  if (atOnce === undefined) {
    for (const one of people) folded.push(await foldedIn(one, how));
    return folded;
  }
  // Chunk by chunk, because the longest list of a chunk makes all of its lists as long.
  for (let from = 0; from < people.length; from += atOnce) {
    const some = people.slice(from, from + atOnce);
    const answer = await run('fold-in-many', {
      item: padded(some.map((one) => [...one.keys()])),
      ...(isRated && { rating: paddedNumbers(some.map(ratingsOf)) }),
      k,
    });
    const { top_item, top_score, ...tables } = answer;
    for (const [row, recommended] of recommendedOf({ item: top_item, score: top_score }).entries())
      folded.push({ parameters: mapValues(tables, (table) => rowOf(table, row)), recommended });
  }
  return folded;
}
