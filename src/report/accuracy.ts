import { bars, type Figure, figure, GRID, xAxis, yAxis } from '../document/figure.ts';
import { type Html, html, missing } from '../document/html.ts';
import { inShort, numbers, table } from '../document/table.ts';
import { errorBy, type Group } from '../evaluate/groups.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { count, decimal, error, percent, plural, short } from '../util/format.ts';
import type { Judged } from './data.ts';
import { type RankingsJudged, rankingsPart } from './rankings.ts';
import { calibration, distribution } from './residuals.ts';

export interface AllJudged {
  /** Absent for a model that predicts no ratings. */
  readonly ratings?: Judged | undefined;
  /** A reason if they cannot be judged. */
  readonly rankings: RankingsJudged | string;
}

/** @param source name of the data, such as that of their file */
export async function accuracySection(
  judged: AllJudged | undefined,
  source: string,
  kind: Recommender['kind'],
): Promise<Html> {
  if (!judged)
    return missing(
      kind === 'interactions'
        ? 'The quality of recommendations needs interactions to compare with. Make the report with data: interactions that the model was not trained on.'
        : 'Errors by rating, user and item, and the quality of recommendations, need ratings to compare with. Make the report with data: ratings that the model was not trained on, if possible.',
    );
  const { ratings, rankings } = judged;
  if (kind === 'interactions') return rankingsPart(rankings, source);
  return html`<h3>Recommendations</h3>
${rankingsPart(rankings, source)}
<h3>Predicted ratings</h3>
${ratings ? await errorsPart(ratings, source) : missing('The model ranks, and predicts no ratings, so it has no errors.')}`;
}

async function errorsPart(judged: Judged, source: string): Promise<Html> {
  const { predicted, actual, rmse, mae, baseline, unknown, given } = judged;
  const sampled = actual.length < given ? ` (an even sample of ${count(given)})` : '';
  const figures = [
    calibration(judged),
    distribution(judged),
    byGroup({
      title: 'Error by actual rating',
      caption:
        'The error where the user gave this rating. Most models are best in the middle of the scale, where most ratings are, and worst for ratings that people seldom give.',
      unit: 'actual rating',
      groups: errorBy(actual, predicted, actual, { most: 12 }),
    }),
    byGroup({
      title: 'Error by user activity',
      caption: `The error by the number of ratings that the user has ${whose(judged.activityOf)}. The model knows users with more ratings better.`,
      unit: `ratings by the user ${whose(judged.activityOf)}`,
      groups: errorBy(judged.activity, predicted, actual, { most: 5 }),
    }),
    byGroup({
      title: 'Error by item popularity',
      caption: `The error by the number of ratings that the item has ${whose(judged.popularityOf)}. The model knows items with more ratings better.`,
      unit: `ratings of the item ${whose(judged.popularityOf)}`,
      groups: errorBy(judged.popularity, predicted, actual, { most: 5 }),
    }),
  ];
  return html`<p>The ratings in <bdi class="source">${source}</bdi>, compared with the model’s predictions for the same
users and items.</p>
${warning(judged)}
${inShort([
  ['RMSE', error(rmse)],
  ['MAE', error(mae)],
  ['RMSE of predicting the training mean', error(baseline.rmse)],
  [`ratings${sampled}`, count(actual.length)],
  ['of an unknown user or item, treated as average', percent(unknown / actual.length)],
])}
<div class="figures">${await Promise.all(figures.map(figure))}</div>`;
}

const whose = (of: Judged['activityOf']): string => (of === 'training' ? 'in training' : 'in this file');

/** Warns that errors on training ratings are too low. */
function warning({ seen, actual }: Judged): Html {
  if (seen === undefined)
    return html`<p class="notice">If the model was trained on these ratings, the errors are too low, because it may have
memorized them. The files of this model do not say, because it was trained with <code>seen: false</code>.</p>`;
  if (seen === 0)
    return html`<p>It was not trained on any of these ratings, so these are the errors to expect.</p>`;
  return html`<p class="notice">${count(seen)} of these ${plural(actual.length, 'rating')} (${percent(seen / actual.length)})
were used to train the model. Errors on training ratings are too low, because the model may
have memorized them.</p>`;
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

/** Whole numbers in full, other numbers with three digits. */
const edge = (value: number): string =>
  Number.isInteger(value) ? String(value) : short(Number(value.toPrecision(3)));
