import { errorBy, type Group } from '../evaluate/groups.ts';
import { count, decimal, error, percent, plural, short } from '../util/format.ts';
import type { Judged } from './data.ts';
import { bars, type Figure, figure, GRID, xAxis, yAxis } from './figure.ts';
import { type Html, html, missing } from './html.ts';
import { calibration, distribution } from './residuals.ts';
import { inShort, numbers, table } from './table.ts';

/** @param source what the ratings are called, such as the name of their file */
export async function accuracySection(judged: Judged | undefined, source: string): Promise<Html> {
  if (!judged)
    return missing(
      'Errors by rating, user and item need ratings to compare with: give them by --data FILE, best ones that the model was not trained on.',
    );
  const { predicted, actual, rmse, mae, baseline, unknown, given } = judged;
  const sampled = actual.length < given ? ` (evenly spread over the ${count(given)} there are)` : '';
  const figures = [
    calibration(judged),
    distribution(judged),
    byGroup({
      title: 'Error by actual rating',
      caption:
        'How far off the model is where the user in fact gave this rating. Most models are best in the middle of the scale, where most ratings are, and worst for the rating that people seldom give.',
      unit: 'actual rating',
      groups: errorBy(actual, predicted, actual, { most: 12 }),
    }),
    byGroup({
      title: 'Error by user activity',
      caption: `How far off it is for users with so many ratings ${whose(judged.activityOf)}. Who rates more is known better.`,
      unit: `ratings by the user ${whose(judged.activityOf)}`,
      groups: errorBy(judged.activity, predicted, actual, { most: 5 }),
    }),
    byGroup({
      title: 'Error by item popularity',
      caption: `How far off it is for items with so many ratings ${whose(judged.popularityOf)}. What is rated more is known better.`,
      unit: `ratings of the item ${whose(judged.popularityOf)}`,
      groups: errorBy(judged.popularity, predicted, actual, { most: 5 }),
    }),
  ];
  return html`<p>The ratings in <bdi class="source">${source}</bdi>, beside what the model predicts for the same
users and items.</p>
${warning(judged)}
${inShort([
  ['RMSE', error(rmse)],
  ['MAE', error(mae)],
  ['RMSE of guessing the training mean', error(baseline.rmse)],
  [`ratings${sampled}`, count(actual.length)],
  ['of an unknown user or item, counted as average', percent(unknown / actual.length)],
])}
<div class="figures">${await Promise.all(figures.map(figure))}</div>`;
}

const whose = (of: Judged['activityOf']): string => (of === 'training' ? 'in training' : 'in this file');

/** Errors on ratings that the model has learned say little. */
function warning({ seen, actual }: Judged): Html {
  if (seen === undefined)
    return html`<p class="notice">If the model was trained on these very ratings, their errors flatter: it may know them by
heart. The files of this model do not tell; one trained with --keep-seen does.</p>`;
  if (seen === 0)
    return html`<p>None of these ratings is among those that the model was made from: the errors are those to expect.</p>`;
  return html`<p class="notice">${count(seen)} of these ${plural(actual.length, 'rating')} (${percent(seen / actual.length)})
are among those that the model was trained on, or chosen by. Errors on ratings that it was trained on flatter: it may know
them by heart.</p>`;
}

interface Grouping {
  readonly title: string;
  readonly caption: string;
  readonly unit: string;
  readonly groups: readonly Group[];
}

function byGroup({ title, caption, unit, groups }: Grouping): Figure {
  const named = groups.map((group) => `${nameOf(group)}: ${decimal(group.rmse)}`).join(', ');
  return {
    title,
    caption,
    label: `${title}. RMSE by ${unit}: ${named}`,
    option: {
      grid: GRID,
      xAxis: xAxis(unit, { type: 'category', data: groups.map(nameOf), axisLabel: { interval: 0 } }),
      yAxis: yAxis('RMSE'),
      series: [bars(groups.map(({ rmse }) => rmse))],
    },
    table: table(
      title,
      numbers(unit, 'Ratings', 'RMSE', 'MAE'),
      groups.map((group) => [
        nameOf(group),
        count(group.ratings),
        decimal(group.rmse, 3),
        decimal(group.mae, 3),
      ]),
    ),
  };
}

const nameOf = ({ from, to }: Group): string => (from === to ? edge(from) : `${edge(from)}–${edge(to)}`);

/** Counts in full, other numbers as exact as they need be. */
const edge = (value: number): string =>
  Number.isInteger(value) ? String(value) : short(Number(value.toPrecision(3)));
