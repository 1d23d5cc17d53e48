import { count, decimal, plural, signed } from '../../util/format.ts';
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
  const { of, values } = await standingValues(items, model.recommender.objective, {
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

export function StandingTables({ found, least }: { readonly found: Standings; readonly least: number }) {
  const { of, best, worst } = found;
  const { title, first, last, why, column } = standingTexts[of];
  return (
    <section aria-labelledby="standings-heading">
      <h2 id="standings-heading">{title('titles')}</h2>
      <p class="lead">
        {why('title', 'person', 'people')} Only titles with at least {plural(least, 'rating')} are listed.
      </p>
      <div class="tables">
        <StandingTable name={first} rows={best} {...{ of, column }} />
        {worst.length > 0 && <StandingTable name={last} rows={worst} {...{ of, column }} />}
      </div>
    </section>
  );
}

interface TableProps {
  readonly name: string;
  readonly rows: readonly Standing[];
  readonly of: StandingOf;
  readonly column: string;
}

function StandingTable({ name, rows, of, column }: TableProps) {
  return (
    <table class="data">
      <caption>{name}</caption>
      <Columns names={['Title', ...(of === 'average' ? [] : [column]), 'Average', 'Ratings']} />
      <tbody>
        {rows.map(({ item, value }) => (
          <tr key={item.id}>
            <th scope="row">
              <ItemName item={item} />
            </th>
            {of !== 'average' && (
              <td class="number strong">{of === 'rating' ? decimal(value) : signed(value)}</td>
            )}
            <td class="number">{decimal(item.average)}</td>
            <td class="number">{count(item.ratings)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
