import { count, decimal, plural, signed } from '../../util/format.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { Columns, ItemName } from '../parts.tsx';

/** An item with its bias, which does not depend on who rated it. */
interface Standing {
  readonly item: PageItem;
  /** The bias; for a model without biases, the prediction for the average user. */
  readonly value: number;
}

interface Standings {
  readonly biases: boolean;
  readonly best: readonly Standing[];
  readonly worst: readonly Standing[];
}

export async function standings(model: PageModel, most = 10): Promise<Standings | undefined> {
  const items = model.wellKnown();
  if (items.length === 0) return undefined;
  const ids = items.map(({ id }) => id);
  const bias = model.can('factors')
    ? (await (await model.with('factors')).factors(ids)).item_bias
    : undefined;
  const values = bias?.data ?? (await (await model.with('predict')).predict(Array(ids.length).fill(''), ids));
  const sorted = items.map((item, row) => ({ item, value: values[row] })).sort((a, b) => b.value - a.value);
  return {
    biases: bias !== undefined,
    best: sorted.slice(0, most),
    // No item is both among the best and among the worst.
    worst: sorted.slice(most).slice(-most).reverse(),
  };
}

export function StandingTables({ found, least }: { readonly found: Standings; readonly least: number }) {
  const { biases, best, worst } = found;
  return (
    <section aria-labelledby="standings-heading">
      <h2 id="standings-heading">Best and worst titles</h2>
      <p class="lead">
        {biases
          ? 'An average rating depends on who rated: a title that only generous people have seen looks better than it is. So the tables show the biases of the model. A title’s bias is how much higher it is rated than its raters’ habits and tastes explain, in the units of the model.'
          : 'An average rating depends on who rated: a title that only generous people have seen looks better than it is. So the tables show the predictions for the average person, because this model has no biases.'}{' '}
        Only titles with at least {plural(least, 'rating')} are listed.
      </p>
      <div class="tables">
        <StandingTable name="Best" rows={best} biases={biases} />
        {worst.length > 0 && <StandingTable name="Worst" rows={worst} biases={biases} />}
      </div>
    </section>
  );
}

interface TableProps {
  readonly name: string;
  readonly rows: readonly Standing[];
  readonly biases: boolean;
}

function StandingTable({ name, rows, biases }: TableProps) {
  return (
    <table class="data">
      <caption>{name}</caption>
      <Columns names={['Title', biases ? 'Bias' : 'Predicted', 'Average', 'Ratings']} />
      <tbody>
        {rows.map(({ item, value }) => (
          <tr key={item.id}>
            <th scope="row">
              <ItemName item={item} />
            </th>
            <td class="number strong">{biases ? signed(value) : decimal(value)}</td>
            <td class="number">{decimal(item.average)}</td>
            <td class="number">{count(item.ratings)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
