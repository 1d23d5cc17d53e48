import type { Recommender } from '../recommend/recommender.ts';
import { count, decimal, plural, signed } from '../util/format.ts';
import { standingTexts, standingValues } from '../util/standings.ts';
import { type Html, html, missing } from './html.ts';
import { knownItems, titled } from './known-items.ts';
import { numbers, table } from './table.ts';

const MOST = 10;

export async function standingsSection(recommender: Recommender): Promise<Html> {
  const { items, least } = knownItems(recommender);
  if (items.length < 2) return missing('This model has no items.json; train it again.');
  const { of, values } = await standingValues(
    items.map(({ item, average }) => ({ id: item, average: average ?? Number.NaN })),
    recommender.objective,
    {
      factors: async () => (recommender.heads.includes('factors') ? recommender : undefined),
      predict: async () => (recommender.heads.includes('predict') ? recommender : undefined),
    },
  );
  const { first, last, column, why } = standingTexts[of];
  const sorted = items
    .map((item, row) => ({ ...item, value: values[row] }))
    .sort((one, other) => other.value - one.value);
  const tableOf = (name: string, rows: typeof sorted): Html =>
    table(
      name,
      ['Item', ...numbers(column, 'Average', 'Ratings')],
      rows.map(({ item, value, average, count: ratings }) => [
        titled(recommender, item),
        of === 'rating' ? decimal(value) : signed(value),
        decimal(average ?? Number.NaN),
        count(ratings),
      ]),
    );
  const half = Math.min(MOST, items.length >> 1);
  return html`<p>${why('item', 'user', 'people')} Only items with at least ${plural(least, 'rating')} in training are ranked: ${count(items.length)} of
${count(recommender.items.length)}.</p>
<div class="columns">
${tableOf(first, sorted.slice(0, half))}
${tableOf(last, sorted.slice(-half).reverse())}
</div>`;
}
