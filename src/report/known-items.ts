import { type Html, html } from '../document/html.ts';
import type { Item, Recommender } from '../recommend/recommender.ts';
import { wellKnownOf } from '../util/item-map.ts';
import { type ReadableTitle, readableTitle } from '../util/titles.ts';

/** Items that enough people know for their factors to be more than noise, the best known first. */
export interface KnownItems {
  readonly items: readonly Item[];
  /** Minimum number of ratings of these items, or of people who have them. */
  readonly least: number;
}

export const knownItems = ({ items }: Recommender): KnownItems =>
  wellKnownOf([...items].sort((one, other) => other.count - one.count));

export const readable = ({ titles }: Recommender, id: string): ReadableTitle =>
  readableTitle(titles.get(id) ?? id);

/** A title as markup, isolated because its text may run from right to left. */
export const titled = (recommender: Recommender, id: string): Html =>
  html`<bdi>${readable(recommender, id).title}</bdi>`;
