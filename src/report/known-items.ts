import type { Item, Recommender } from '../recommend/recommender.ts';
import { enoughRatings } from '../util/item-map.ts';
import { type Html, html } from './html.ts';

/** Items with enough ratings for their factors to be more than noise, the most rated first. */
export interface KnownItems {
  readonly items: readonly Item[];
  /** Minimum number of ratings of these items. */
  readonly least: number;
}

export function knownItems({ items }: Recommender): KnownItems {
  const sorted = [...items].sort((one, other) => other.count - one.count);
  const least = enoughRatings(sorted.map(({ count }) => ({ ratings: count })));
  return { items: sorted.filter(({ count }) => count >= least), least };
}

export const titleOf = ({ titles }: Recommender, id: string): string => titles.get(id) ?? id;

/** A title as markup, isolated because its text may run from right to left. */
export const titled = (recommender: Recommender, id: string): Html =>
  html`<bdi>${titleOf(recommender, id)}</bdi>`;
