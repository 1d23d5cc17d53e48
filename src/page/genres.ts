import type { PageItem } from './models/page-model.ts';

export const OTHER = 'Other';

/** There are colours for so many genres. */
const MOST_GENRES = 9;

/** The most common first genres of items, most items first; none for a model without genres. */
export function commonGenres(items: readonly PageItem[]): string[] {
  const counts = new Map<string, number>();
  for (const {
    genres: [first],
  } of items)
    if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, MOST_GENRES)
    .map(([genre]) => genre);
}

export const genreOf = ({ genres: [first] }: PageItem, common: readonly string[]): string =>
  first !== undefined && common.includes(first) ? first : OTHER;
