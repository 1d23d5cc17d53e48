import { type ComponentChildren, Fragment } from 'preact';
import { type ModelName, models } from '../../../graphs/models/index.ts';
import type { Judgement } from '../../artifact/judgement.ts';
import { decimal, error } from '../../util/format.ts';
import type { WebTrained } from '../../web.ts';
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
  of(judgement: Judgement): number | undefined;
}

/** Rows of baselines, by name. */
type Baselines = Readonly<Record<string, (judgement: Judgement) => Judgement>>;

/** Judgements in which a baseline takes the place of the model. */
const BASELINES: Baselines = {
  Averages: ({ rating, ...rest }) => ({
    ...rest,
    rating: rating && { ...rating, model: rating.dampedMeans },
    ranking: undefined,
  }),
  'Most popular': ({ ranking, ...rest }) => ({
    ...rest,
    rating: undefined,
    ranking: ranking && { ...ranking, model: ranking.popular },
  }),
};

const COLUMNS: readonly Column[] = [
  {
    name: <abbr title="Root mean square error on the held-out ratings">RMSE</abbr>,
    higherIsBetter: false,
    of: ({ rating }) => rating?.model.rmse,
  },
  {
    name: <abbr title="Mean absolute error on the held-out ratings">MAE</abbr>,
    higherIsBetter: false,
    of: ({ rating }) => rating?.model.mae,
  },
  {
    name: <abbr title="Normalised discounted cumulative gain of lists of ten">NDCG</abbr>,
    higherIsBetter: true,
    of: ({ ranking }) => ranking?.model.ndcg,
  },
  {
    name: <abbr title="Share of lists of ten that the person likes, by the held-out data">Precision</abbr>,
    higherIsBetter: true,
    of: ({ ranking }) => ranking?.model.precision,
  },
];

export function ResultsTable({ runs, used, onUse, onDownload }: Props) {
  const done = runs.flatMap(({ model, trained }) => (trained ? [{ model, trained }] : []));
  if (done.length === 0) return null;
  const columns = COLUMNS.map((column) => ({
    ...column,
    values: done.map(({ trained: { judgement } }) => judgement && column.of(judgement)),
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
          {baselineRows(done[0].trained.judgement, columns).map(([name, values]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, at) => (
                <td key={at} class="number">
                  {error(value ?? Number.NaN)}
                </td>
              ))}
              <td class="number">–</td>
              <td class="number">–</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">
        A download is a zip of the model’s files: the ids of people and items, and who has what, in
        predict.onnx, recommend.onnx and seen.onnx, which a page does not need. The model that you use is kept
        in this browser; others are gone when you leave the page.
      </p>
      {predicts && (
        <p class="note">
          RMSE and MAE say how far predictions are from the ratings held out, in rating points: the lower, the
          better. RMSE counts large misses more. The averages are those of users and items: a model should be
          better.
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

/** The measures of the baselines that have any. */
function baselineRows(
  judgement: Judgement | undefined,
  columns: readonly Column[],
): [name: string, values: (number | undefined)[]][] {
  if (!judgement) return [];
  return Object.entries(BASELINES)
    .map(([name, asModel]): [string, (number | undefined)[]] => [
      name,
      columns.map((column) => column.of(asModel(judgement))),
    ])
    .filter(([, values]) => values.some((value) => value !== undefined));
}

/** The row of the best value of a column; undefined if there is nothing to compare. */
function bestOf(values: readonly (number | undefined)[], higherIsBetter: boolean): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length < 2) return undefined;
  return values.indexOf(higherIsBetter ? Math.max(...known) : Math.min(...known));
}
