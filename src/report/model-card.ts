import { builtIn } from '../../graphs/models/index.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { capital, count, error, plural, short, size, words } from '../util/format.ts';
import { type Html, html } from './html.ts';
import { facts, table } from './table.ts';

export const nameOf = ({ model }: Manifest): string => builtIn(model.name)?.title ?? model.name;

export function modelCard(manifest: Manifest): Html {
  const { model, data, training, metrics, history, precision, device, libraries, cofactor, files } = manifest;
  const { train, valid } = metrics;
  const { optimizer, schedule, ...settings } = training;
  return html`<p>${builtIn(model.name)?.formula ?? 'This is not a built-in model; its formula is in its files.'} An
unknown user or item is treated as the average of all. Use the model to predict ratings and to recommend for the users and
items below. It knows nothing about them except their ratings.</p>
<div class="columns">
<div><h3>Model</h3>${facts([['Kind', model.name], ...settingsOf(model.config)])}</div>
<div><h3>Data</h3>${facts([
    ['Ratings', count(data.ratings)],
    ['Users', count(data.users)],
    ['Items', count(data.items)],
    ['Lowest to highest rating', `${short(data.low)} to ${short(data.high)}`],
    ['Mean rating', error(data.mean)],
    ['Fingerprint (SHA-256)', html`<code>${data.fingerprint}</code>`],
  ])}</div>
<div><h3>Training</h3>${facts([
    ...settingsOf(settings),
    ...settingsOf({ optimizer, schedule }),
    ['Device', device ?? 'cpu'],
  ])}</div>
<div><h3>Results</h3>${facts([
    ['Epochs run', count(history.length)],
    ['Training RMSE', train && error(train.rmse)],
    ['Validation RMSE', valid?.rmse !== undefined ? error(valid.rmse) : 'none: nothing was held out'],
    ['Validation MAE', valid?.mae !== undefined ? error(valid.mae) : undefined],
  ])}
<h3>Made with</h3>${facts([
    ['cofactor', cofactor],
    ...Object.entries(libraries),
    ['Numbers of large tables', precision ?? 'float32'],
  ])}</div>
</div>
<details class="kept"><summary>${plural(Object.keys(files).length, 'file')}, ${size(sizeOf(manifest))}</summary>
${table(
  'Files beside manifest.json',
  ['File', { number: 'Size' }, 'SHA-256'],
  Object.entries(files).map(([name, { bytes, sha256 }]) => [
    name,
    size(bytes),
    html`<code>${sha256.slice(0, 16)}…</code>`,
  ]),
)}</details>`;
}

export const sizeOf = ({ files }: Manifest): number =>
  Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);

/** Names as people write them, and values in one line, with the parts of a setting after its name. */
const settingsOf = (settings: Readonly<Record<string, unknown>>): [string, string][] =>
  Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [capital(words(key)), inWords(value)]);

function inWords(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return short(value);
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(inWords).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  const { name, ...others } = value as Record<string, unknown>;
  const parts = Object.entries(others).map(([key, part]) => `${words(key)} ${inWords(part)}`);
  return [...(name === undefined ? [] : [inWords(name)]), ...parts].join(', ');
}
