import type { Item, Recommender } from '../recommend/recommender.ts';
import { enoughRatings } from '../util/item-map.ts';
import { type Html, html } from './html.ts';

/** Items that have enough ratings for their numbers to mean something, the most rated first. */
export interface KnownItems {
  readonly items: readonly Item[];
  /** The ratings that each of them has, or more. */
  readonly least: number;
}

export function knownItems({ items }: Recommender): KnownItems {
  const sorted = [...items].sort((one, other) => other.ratings - one.ratings);
  const least = enoughRatings(sorted);
  return { items: sorted.filter(({ ratings }) => ratings >= least), least };
}

export const titleOf = ({ titles }: Recommender, id: string): string => titles.get(id) ?? id;

/** The same for a page; apart, because it may run from right to left. */
export const titled = (recommender: Recommender, id: string): Html =>
  html`<bdi>${titleOf(recommender, id)}</bdi>`;
