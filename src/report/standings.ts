import { builtIn } from '../../graphs/models/index.ts';
import { type Html, html, missing } from '../document/html.ts';
import { numbers, table } from '../document/table.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { count, decimal, signed } from '../util/format.ts';
import { standingTexts, standingValues } from '../util/standings.ts';
import { knownItems, titled } from './known-items.ts';
import { WORDS } from './words.ts';

const MOST = 10;

export async function standingsSection(recommender: Recommender): Promise<Html> {
  const { items, least } = knownItems(recommender);
  if (items.length < 2) return missing('This model has no items.json; train it again.');
  const { biasIsPart } = builtIn(recommender.artifact.manifest.model.name) ?? {};
  const { of, values } = await standingValues(
    items.map(({ item, ...facts }) => ({ id: item, ...facts })),
    recommender,
    {
      factors: async () => (!biasIsPart && recommender.heads.includes('factors') ? recommender : undefined),
      predict: async () => (recommender.heads.includes('predict') ? recommender : undefined),
    },
  );
  const { first, last, column, why } = standingTexts[of];
  const words = WORDS[recommender.kind];
  const isRated = recommender.kind === 'ratings';
  const sorted = items
    .map((item, row) => ({ ...item, value: values[row] }))
    .sort((one, other) => other.value - one.value);
  const tableOf = (name: string, rows: typeof sorted): Html =>
    table(
      name,
      ['Item', ...numbers(...(column ? [column] : []), ...(isRated ? ['Average'] : []), words.knownBy)],
      rows.map(({ item, value, average = Number.NaN, count: known }) => [
        titled(recommender, item),
        ...(column ? [of === 'rating' ? decimal(value) : signed(value)] : []),
        ...(isRated ? [decimal(average)] : []),
        count(known),
      ]),
    );
  const half = Math.min(MOST, items.length >> 1);
  return html`<p>${why('item', 'user', 'people')} Only items ${words.atLeast(least)} in training are ranked: ${count(items.length)} of
${count(recommender.items.length)}.</p>
<div class="columns">
${tableOf(first, sorted.slice(0, half))}
${tableOf(last, sorted.slice(-half).reverse())}
</div>`;
}
