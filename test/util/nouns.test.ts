import { expect, test } from 'vitest';
import { wordsOf } from '../../src/page/models/words.ts';
import { nounOfColumn, pluralOf } from '../../src/util/nouns.ts';

test('a column says what items are, where it is a noun that people know', () => {
  const columns = [
    'movieId',
    'product_id',
    'Products',
    'track_name',
    'filmid',
    'sku',
    'ISBN',
    'anime',
    'series_id',
  ];
  expect(columns.map(nounOfColumn)).toEqual([
    'movie',
    'product',
    'product',
    'track',
    'film',
    'product',
    'book',
    'anime',
    'series',
  ]);
  for (const column of ['item', 'itemId', 'id', 'product category', 'Buch', '', '評価'])
    expect(nounOfColumn(column)).toBeUndefined();
  expect(['movie', 'series', 'dish'].map(pluralOf)).toEqual(['movies', 'series', 'dishes']);
});

test('a page speaks of products as well as of films', () => {
  const films = wordsOf('ratings', 'film');
  expect([films.heads.recommend.title, films.searchFor]).toEqual([
    'Rate a few films, see what you would like',
    'Find a film that you know',
  ]);
  for (const kind of ['ratings', 'interactions'] as const) {
    const { heads, withoutMap, listed, aside, ...texts } = wordsOf(kind, 'product');
    const all = [
      ...[heads.recommend, heads.map, withoutMap, texts].flatMap(Object.values),
      listed(5),
      aside(1),
    ];
    const says = all.filter((one) => typeof one === 'string').join('\n');
    expect(says).toMatch(/products/);
    expect(says).not.toMatch(/\b(titles?|items?)\b/);
  }
  expect(wordsOf('interactions').searchFor).toBe('Find an item that you have');
});
