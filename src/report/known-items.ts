import { type Html, html } from '../document/html.ts';
import type { Item, Recommender } from '../recommend/recommender.ts';
import { enoughCount } from '../util/item-map.ts';

/** Items that enough people know for their factors to be more than noise, the best known first. */
export interface KnownItems {
  readonly items: readonly Item[];
  /** Minimum number of ratings of these items, or of people who have them. */
  readonly least: number;
}

export function knownItems({ items }: Recommender): KnownItems {
  const sorted = [...items].sort((one, other) => other.count - one.count);
  const least = enoughCount(sorted);
  return { items: sorted.filter(({ count }) => count >= least), least };
}

export const titleOf = ({ titles }: Recommender, id: string): string => titles.get(id) ?? id;

/** A title as markup, isolated because its text may run from right to left. */
export const titled = (recommender: Recommender, id: string): Html =>
  html`<bdi>${titleOf(recommender, id)}</bdi>`;
