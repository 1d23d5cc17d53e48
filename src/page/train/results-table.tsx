import { Fragment } from 'preact';
import { type ModelName, models } from '../../../graphs/models/index.ts';
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

const RMSE = <abbr title="Root mean square error on the held-out ratings">RMSE</abbr>;
const MAE = <abbr title="Mean absolute error on the held-out ratings">MAE</abbr>;

export function ResultsTable({ runs, used, onUse, onDownload }: Props) {
  const done = runs.filter(({ trained }) => trained);
  if (done.length === 0) return null;
  const errors = done.flatMap(({ trained }) => trained?.artifact.manifest.metrics.valid?.rmse ?? []);
  const least = errors.length > 1 ? Math.min(...errors) : undefined;
  return (
    <div class="table-frame">
      <table class="data results">
        <caption>Results</caption>
        <Columns names={['Model', RMSE, MAE, 'Seconds', 'Size']} />
        <tbody>
          {done.map(({ model, trained }) => {
            if (!trained) return null;
            const { valid } = trained.artifact.manifest.metrics;
            const best = valid !== undefined && valid.rmse === least;
            return (
              <Fragment key={model}>
                <tr>
                  <th scope="row">
                    {models[model].title} {best && <span class="badge">best</span>}
                  </th>
                  <td class="number strong">{error(valid?.rmse ?? Number.NaN)}</td>
                  <td class="number">{error(valid?.mae ?? Number.NaN)}</td>
                  <td class="number">{decimal(trained.seconds, 1)}</td>
                  <td class="number">{megabytes(sizeOf(trained))}</td>
                </tr>
                <tr class="actions">
                  <td colSpan={5}>
                    <button type="button" disabled={used === trained} onClick={() => onUse(trained)}>
                      {used === trained ? 'In use' : 'Use this model'}
                    </button>
                    <button type="button" class="secondary" onClick={() => onDownload(model, trained)}>
                      Download
                    </button>
                  </td>
                </tr>
              </Fragment>
            );
          })}
        </tbody>
      </table>
      <p class="note">
        RMSE and MAE say how far predictions are from the ratings held out, in rating points: the lower, the
        better. RMSE counts large misses more.
      </p>
    </div>
  );
}
