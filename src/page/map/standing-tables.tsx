import { capital, count, decimal, signed } from '../../util/format.ts';
import { type StandingOf, standingTexts, standingValues } from '../../util/standings.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { Columns, ItemName } from '../parts.tsx';

/** An item, and how the model places it for no user in particular. */
interface Standing {
  readonly item: PageItem;
  readonly value: number;
}

interface Standings {
  readonly of: StandingOf;
  readonly best: readonly Standing[];
  readonly worst: readonly Standing[];
}

export async function standings(model: PageModel, most = 10): Promise<Standings | undefined> {
  const items = model.wellKnown();
  if (items.length === 0) return undefined;
  const { of, values } = await standingValues(items, model.recommender, {
    factors: async () => (model.can('factors') ? await model.with('factors') : undefined),
    predict: async () => (model.can('predict') ? await model.with('predict') : undefined),
  });
  const sorted = items.map((item, row) => ({ item, value: values[row] })).sort((a, b) => b.value - a.value);
  return {
    of,
    best: sorted.slice(0, most),
    // No item is both among the best and among the worst.
    worst: sorted.slice(most).slice(-most).reverse(),
  };
}

interface Props {
  readonly model: PageModel;
  readonly found: Standings;
}

export function StandingTables({ model, found }: Props) {
  const { of, best, worst } = found;
  const { title, first, last, why } = standingTexts[of];
  const { item, items, listed } = model.words;
  return (
    <section aria-labelledby="standings-heading">
      <h2 id="standings-heading">{title(items)}</h2>
      <p class="lead">
        {why(item, 'person', 'people')} {listed(model.enoughCount)}
      </p>
      <div class="tables">
        <StandingTable {...{ model, of }} name={first} rows={best} />
        {worst.length > 0 && <StandingTable {...{ model, of }} name={last} rows={worst} />}
      </div>
    </section>
  );
}

interface TableProps {
  readonly model: PageModel;
  readonly of: StandingOf;
  readonly name: string;
  readonly rows: readonly Standing[];
}

function StandingTable({ model, of, name, rows }: TableProps) {
  const { column } = standingTexts[of];
  const { item, knownBy } = model.words;
  const rated = model.kind === 'ratings';
  return (
    <table class="data">
      <caption>{name}</caption>
      <Columns names={[capital(item), ...(column ? [column] : []), ...(rated ? ['Average'] : []), knownBy]} />
      <tbody>
        {rows.map(({ item, value }) => (
          <tr key={item.id}>
            <th scope="row">
              <ItemName item={item} />
            </th>
            {column && <td class="number strong">{of === 'rating' ? decimal(value) : signed(value)}</td>}
            {rated && <td class="number">{decimal(item.average ?? Number.NaN)}</td>}
            <td class="number">{count(item.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
