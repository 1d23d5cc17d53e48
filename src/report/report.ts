import type { Ratings } from '../data/dataset/ratings.ts';
import { UserError } from '../errors.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { count, error, plural, short, size } from '../util/format.ts';
import { accuracySection } from './accuracy.ts';
import { judge } from './data.ts';
import { html, pageOf } from './html.ts';
import { mapSection } from './item-map.ts';
import { modelCard, nameOf, sizeOf } from './model-card.ts';
import { peopleSection } from './people.ts';
import { standingsSection } from './standings.ts';
import { inShort } from './table.ts';
import { trainingSection } from './training.ts';

export interface ReportOptions {
  /**
   * Ratings to judge the model by, best ones that it was not trained on, by the ids of their file. Of more than a million
   * as many are predicted, evenly spread over them.
   */
  readonly data?: Ratings;
  /** What these ratings are called, such as the name of their file. */
  readonly source?: string;
}

/**
 * A page about a trained model: what it is, how it was trained, how far off it is, and what it has learned. It is one HTML
 * file that needs nothing else: no script, no font, no network.
 *
 * @throws UserError for data without a rating
 */
export async function report(
  recommender: Recommender,
  { data, source = 'the data' }: ReportOptions = {},
): Promise<string> {
  if (data && data.ratings.length === 0)
    throw new UserError('data', `${source}: holds no ratings to judge the model by`);
  const { manifest } = recommender.artifact;
  const judged = data && (await judge(recommender, data));
  const sections = [
    { id: 'model', title: 'The model', body: modelCard(manifest) },
    { id: 'training', title: 'How it was trained', body: await trainingSection(manifest) },
    { id: 'accuracy', title: 'How far off it is', body: await accuracySection(judged, source) },
    {
      id: 'standings',
      title: 'Best and worst items, whoever rated them',
      body: await standingsSection(recommender),
    },
    { id: 'map', title: 'The map of items', body: await mapSection(recommender) },
    { id: 'people', title: 'Three users', body: await peopleSection(recommender, data) },
  ];
  const { model, cofactor, data: facts, metrics } = manifest;
  const name = nameOf(manifest);
  const numbers: [string, string | undefined][] = [
    ['RMSE on the data given', judged && error(judged.rmse)],
    ['validation RMSE', metrics.valid && error(metrics.valid.rmse)],
    ['training RMSE', error(metrics.train.rmse)],
    ['users', count(facts.users)],
    ['items', count(facts.items)],
    ['in all its files', size(sizeOf(manifest))],
  ];
  const body = html`<header>
<p class="eyebrow">Report on a trained model</p>
<h1>${name}</h1>
<p class="lead">${model.name}, trained by cofactor ${cofactor} on ${plural(facts.ratings, 'rating')} from ${short(facts.low)} to
${short(facts.high)}</p>
${inShort(numbers)}
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(
  ({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`,
)}</main>
<footer>Made by cofactor report. RMSE is the root of the mean squared error, MAE the mean absolute error, both in rating
points: the lower, the better.</footer>`;
  return pageOf(`${name}: report on a trained model`, body);
}
