import { type ComponentChildren, Fragment } from 'preact';
import { isSolved, type ModelName, models } from '../../../graphs/models/index.ts';
import { decimal, error } from '../../util/format.ts';
import { partsOf, type WebTrained } from '../../web.ts';
import { megabytes } from '../messages.ts';
import { Columns } from '../parts.tsx';
import { type Run, sizeOf } from './use-training.ts';

interface Props {
  readonly runs: readonly Run[];
  /** The model that the other views use. */
  readonly used: WebTrained | undefined;
  onUse(trained: WebTrained): void;
  onDownload(model: ModelName, trained: WebTrained): void;
}

/** A measure on the held-out data. */
interface Column {
  readonly name: ComponentChildren;
  readonly higherIsBetter: boolean;
  of(trained: WebTrained): number | undefined;
  /** The same of the most popular items, for everybody. */
  ofPopular?(trained: WebTrained): number | undefined;
}

const COLUMNS: readonly Column[] = [
  {
    name: <abbr title="Root mean square error on the held-out ratings">RMSE</abbr>,
    higherIsBetter: false,
    of: ({ artifact }) => partsOf(artifact.manifest).rating?.metrics.valid?.rmse,
  },
  {
    name: <abbr title="Mean absolute error on the held-out ratings">MAE</abbr>,
    higherIsBetter: false,
    of: ({ artifact }) => partsOf(artifact.manifest).rating?.metrics.valid?.mae,
  },
  {
    name: <abbr title="Normalised discounted cumulative gain of lists of ten">NDCG</abbr>,
    higherIsBetter: true,
    of: ({ artifact }) => partsOf(artifact.manifest).ranking?.metrics.valid?.ndcg,
    ofPopular: ({ judgement }) => judgement?.ranking?.popular.ndcg,
  },
  {
    name: <abbr title="Share of lists of ten that the person likes, by the held-out data">Precision</abbr>,
    higherIsBetter: true,
    of: ({ artifact }) => partsOf(artifact.manifest).ranking?.metrics.valid?.precision,
    ofPopular: ({ judgement }) => judgement?.ranking?.popular.precision,
  },
];

export function ResultsTable({ runs, used, onUse, onDownload }: Props) {
  const done = runs.flatMap(({ model, trained }) => (trained ? [{ model, trained }] : []));
  if (done.length === 0) return null;
  const columns = COLUMNS.map((column) => ({
    ...column,
    values: done.map(({ trained }) => column.of(trained)),
  }))
    .filter(({ values }) => values.some((value) => value !== undefined))
    .map((column) => ({ ...column, best: bestOf(column.values, column.higherIsBetter) }));
  const [predicts, ranks] = [false, true].map((higher) =>
    columns.some(({ higherIsBetter }) => higherIsBetter === higher),
  );
  return (
    <div class="table-frame">
      <table class="data results">
        <caption>Results</caption>
        <Columns names={['Model', ...columns.map(({ name }) => name), 'Seconds', 'Size']} />
        <tbody>
          {done.map(({ model, trained }, row) => (
            <Fragment key={model}>
              <tr>
                <th scope="row">{models[model].title}</th>
                {columns.map(({ values, best }, at) => (
                  <td key={at} class={`number ${best === row || best === undefined ? 'strong' : ''}`}>
                    {error(values[row] ?? Number.NaN)}
                    {best === row && <span class="hidden-label"> (best)</span>}
                  </td>
                ))}
                <td class="number">{decimal(trained.seconds, 1)}</td>
                <td class="number">{megabytes(sizeOf(trained))}</td>
              </tr>
              <tr class="actions">
                <td colSpan={columns.length + 3}>
                  <button type="button" disabled={used === trained} onClick={() => onUse(trained)}>
                    {used === trained ? 'In use' : 'Use this model'}
                  </button>
                  <button type="button" class="secondary" onClick={() => onDownload(model, trained)}>
                    Download
                  </button>
                </td>
              </tr>
            </Fragment>
          ))}
          {ranks && done[0].trained.judgement?.ranking && (
            <tr>
              <th scope="row">Most popular</th>
              {columns.map(({ ofPopular }, at) => {
                const value = ofPopular?.(done[0].trained);
                return (
                  <td key={at} class="number">
                    {value === undefined ? '–' : error(value)}
                  </td>
                );
              })}
              <td class="number">–</td>
              <td class="number">–</td>
            </tr>
          )}
        </tbody>
      </table>
      <p class="note">
        {contentsOf(done.map(({ model }) => model))} The model that you use is kept in this browser; others
        are gone when you leave the page.
      </p>
      {predicts && (
        <p class="note">
          RMSE and MAE say how far predictions are from the ratings held out, in rating points: the lower, the
          better. RMSE counts large misses more.
        </p>
      )}
      {ranks && (
        <p class="note">
          NDCG and precision say how well lists of ten recommendations fit what people like in the data held
          out: the higher, the better. NDCG also counts how early in the list it comes. Most popular is the
          same list for everyone: a model should be better.
        </p>
      )}
    </div>
  );
}

/** What the downloads of some models tell of people. */
function contentsOf(names: readonly ModelName[]): string {
  const listing = names.filter(isSolved).map((name) => models[name].title);
  if (listing.length === 0)
    return 'A download is a zip of the model’s files: the ids of people and items, but not who has what.';
  const holds =
    listing.length < names.length
      ? `; only that of “${listing.join('”, “')}” tells who has what`
      : ', and who has what';
  return `A download is a zip of the model’s files: the ids of people and items${holds}, in predict.onnx, recommend.onnx and seen.onnx. A page needs none of them.`;
}

/** The row of the best value of a column; undefined if there is nothing to compare. */
function bestOf(values: readonly (number | undefined)[], higherIsBetter: boolean): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length < 2) return undefined;
  return values.indexOf(higherIsBetter ? Math.max(...known) : Math.min(...known));
}
