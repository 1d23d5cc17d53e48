/** Plurals that are not made by an s. */
const PLURALS: Readonly<Record<string, string>> = {
  anime: 'anime',
  business: 'businesses',
  dish: 'dishes',
  news: 'news',
  series: 'series',
};

/** `films` for `film`; the noun is one of those of `nounOfColumn`, or `item` or `title`. */
export const pluralOf = (noun: string): string => PLURALS[noun] ?? `${noun}s`;

/** What items may be. */
const NOUNS = new Set(
  `album anime app article artist beer book brand business channel course dish episode event film game hotel job joke movie news
  paper place podcast post product recipe restaurant series show song story toy track venue video wine`.split(
    /\s+/,
  ),
);

/** Names of columns that are no nouns, or of another language. */
const OTHERS: Readonly<Record<string, string>> = {
  appid: 'app',
  artikel: 'product',
  asin: 'product',
  isbn: 'book',
  produkt: 'product',
  sku: 'product',
  stockcode: 'product',
};

/**
 * What an item is called, by the name of the column of items: `movie` for `movieId`, `product` for `sku`.
 *
 * @returns undefined where the name does not say it, such as `item_id`
 */
export function nounOfColumn(column: string): string | undefined {
  const [first, ...more] = column
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .map((word) => OTHERS[word] ?? word)
    .flatMap((word) => (word.length > 4 && word.endsWith('id') ? [word.slice(0, -2)] : [word]));
  if (more.some((word) => !NAMING.has(word))) return undefined;
  return NOUNS.has(first) ? first : NOUNS.has(first.replace(/s$/, '')) ? first.replace(/s$/, '') : undefined;
}

/** What follows the noun in the name of a column. */
const NAMING = new Set(['', 'id', 'ids', 'key', 'name', 'no', 'number', 'title', 'code']);
