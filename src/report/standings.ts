import type { Recommender } from '../recommend/recommender.ts';
import { count, decimal, plural, signed } from '../util/format.ts';
import { type Html, html, missing } from './html.ts';
import { knownItems, titled } from './known-items.ts';
import { numbers, table } from './table.ts';

const MOST = 10;

export async function standingsSection(recommender: Recommender): Promise<Html> {
  const { items, least } = knownItems(recommender);
  if (items.length < 2) return missing('The files of this model do not tell of its items; train it again.');
  const ids = items.map(({ item }) => item);
  const factors = recommender.heads.includes('factors') ? await recommender.factors(ids) : {};
  const bias = factors.item_bias?.data;
  // An unknown user is the average one.
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
    ? 'The model gives each user and each item a bias of its own. That of an item is what is left of its praise once who rated it is accounted for, in the model’s own units.'
    : 'This model has no bias for an item, so the tables show what it predicts for the average user.';
  return html`<p>A plain average depends on who happened to rate: an item that only generous people rated looks better
than it is. ${meaning} Only items with at least ${plural(least, 'rating')} in training are ranked: ${count(items.length)} of
${count(recommender.items.length)}.</p>
<div class="columns">
${tableOf('Best', sorted.slice(0, half))}
${tableOf('Worst', sorted.slice(-half).reverse())}
</div>`;
}
