import type { Recommender } from '../recommend/recommender.ts';
import { count, decimal, plural, signed } from '../util/format.ts';
import { type Html, html, missing } from './html.ts';
import { knownItems, titled } from './known-items.ts';
import { numbers, table } from './table.ts';

const MOST = 10;

export async function standingsSection(recommender: Recommender): Promise<Html> {
  const { items, least } = knownItems(recommender);
  if (items.length < 2) return missing('This model has no items.json; train it again.');
  const ids = items.map(({ item }) => item);
  const factors = recommender.heads.includes('factors') ? await recommender.factors(ids) : {};
  const bias = factors.item_bias?.data;
  // An unknown user is treated as the average user.
  const values = bias ?? (await recommender.predict(Array<string>(ids.length).fill(''), ids));
  const sorted = items
    .map((item, row) => ({ ...item, value: values[row] }))
    .sort((one, other) => other.value - one.value);
  const tableOf = (name: string, rows: typeof sorted): Html =>
    table(
      name,
      ['Item', ...numbers(bias ? 'Bias' : 'Predicted', 'Average', 'Ratings')],
      rows.map(({ item, value, average, ratings }) => [
        titled(recommender, item),
        bias ? signed(value) : decimal(value),
        decimal(average),
        count(ratings),
      ]),
    );
  const half = Math.min(MOST, items.length >> 1);
  const meaning = bias
    ? 'So the tables show the biases of the model. An item’s bias is how much higher it is rated than its raters’ habits and tastes explain, in the units of the model.'
    : 'So the tables show the predictions for the average user, because this model has no item biases.';
  return html`<p>An average rating depends on who rated: an item that only generous people rated looks better than it is.
${meaning} Only items with at least ${plural(least, 'rating')} in training are ranked: ${count(items.length)} of
${count(recommender.items.length)}.</p>
<div class="columns">
${tableOf('Best', sorted.slice(0, half))}
${tableOf('Worst', sorted.slice(-half).reverse())}
</div>`;
}
