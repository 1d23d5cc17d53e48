import { builtIn, isSolved } from '../../graphs/models/index.ts';
import type { Objective } from '../../graphs/models/model.ts';
import {
  type Manifest,
  partsOf,
  type TrainedFor,
  type TrainedPart,
  trainedFor,
} from '../artifact/manifest.ts';
import { type Html, html } from '../document/html.ts';
import { facts, table } from '../document/table.ts';
import type { Choices } from '../util/choices.ts';
import { capital, count, error, plural, short, size, words } from '../util/format.ts';

export const nameOf = ({ model }: Manifest): string => builtIn(model.name)?.title ?? model.name;

export function modelCard(manifest: Manifest): Html {
  const { model, training, data, precision, device, libraries, cofactor, files } = manifest;
  const parts = Object.entries(partsOf(manifest)) as [Objective, TrainedPart][];
  return html`<p>${builtIn(model.name)?.formula[training.objective] ?? 'This is not a built-in model; its formula is in its files.'} ${purposeOf(manifest)}</p>
<div class="columns">
<div><h3>Data</h3>${facts([
    [capital(data.kind), count(data.ratings)],
    ['Users', count(data.users)],
    ['Items', count(data.items)],
    ...scaleOf(data),
    ['Fingerprint (SHA-256)', html`<code>${data.fingerprint}</code>`],
  ])}</div>
<div><h3>Made with</h3>${facts([
    ['cofactor', cofactor],
    ...Object.entries(libraries),
    ['Device', device ?? 'cpu'],
    ['Numbers of large tables', precision ?? numbersOf(manifest)],
  ])}</div>
${parts.map(([objective, part]) => partOf(objective, part))}
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

const PURPOSES: Readonly<Record<TrainedFor, string>> = {
  both: 'There are two models of this kind: one predicts ratings, the other ranks. What is recommended, and what is similar, comes from the one that ranks. An unknown user gets what is popular, and the average of all users as prediction.',
  rating:
    'It predicts ratings, and recommends what it predicts the highest ratings for. An unknown user or item is treated as the average of all.',
  ranking:
    'It ranks, to recommend what users like, and predicts no ratings. An unknown user gets what is popular.',
};

function purposeOf(manifest: Manifest): string {
  if (manifest.data.kind === 'interactions')
    return 'It ranks, to recommend what users would like to have. An unknown user gets what is popular. It knows nothing about its users and items except who has what.';
  return `${PURPOSES[trainedFor(manifest)]} It knows nothing about its users and items except their ratings.`;
}

/** The ratings or, if they differ, the strengths of interactions. */
function scaleOf({ kind, low, high, mean }: Manifest['data']): [string, string][] {
  const range = `${short(low)} to ${short(high)}`;
  if (kind === 'interactions') return low < high ? [['Lowest to highest strength', range]] : [];
  return [
    ['Lowest to highest rating', range],
    ['Mean rating', error(mean)],
  ];
}

const AIMS: Readonly<Record<Objective, string>> = { rating: 'predict ratings', ranking: 'rank' };

/** The model that was trained for an objective, its training, and its results. */
function partOf(objective: Objective, { model, training, metrics, history }: TrainedPart): Html {
  const { objective: _, optimizer, schedule, ...settings } = training;
  const { train, valid } = metrics;
  const measured = (value: number | undefined) => (value === undefined ? undefined : error(value));
  const aim = AIMS[objective];
  return html`<div><h3>Model to ${aim}</h3>${facts([['Kind', model.name], ...settingsOf(configFor(objective, model))])}
<h3>Results</h3>${facts([
    ['Epochs run', isSolved(model.name) ? undefined : count(history.length)],
    ['Training RMSE', measured(train?.rmse)],
    ['Validation RMSE', measured(valid?.rmse)],
    ['Validation MAE', measured(valid?.mae)],
    ['Validation NDCG at 10', measured(valid?.ndcg)],
    ['Validation precision at 10', measured(valid?.precision)],
    ['Validation', valid ? undefined : 'none: nothing was held out'],
  ])}</div>
<div><h3>Training to ${aim}</h3>${facts([...settingsOf(settings), ...settingsOf({ optimizer, schedule })])}</div>
`;
}

/** Type of the numbers of large tables where none was chosen; see `precisionOf` of the artifact. */
function numbersOf(manifest: Manifest): string {
  const { ranking } = partsOf(manifest);
  if (!ranking) return 'float32';
  return isSolved(ranking.model.name) ? 'float16' : 'float32, float16 in what a page downloads';
}

/** The hyperparameters of a model that matter for an objective. */
function configFor(
  objective: Objective,
  { name, config }: TrainedPart['model'],
): TrainedPart['model']['config'] {
  const choices: Choices = builtIn(name)?.choices ?? {};
  return Object.fromEntries(
    Object.entries(config).filter(([key]) => (choices[key]?.objective ?? objective) === objective),
  );
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
