import type { Ratings } from '../data/dataset/ratings.ts';
import { UserError } from '../errors.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { accuracySection } from './accuracy.ts';
import { type Judged, judge } from './data.ts';
import { count, error, plural, short, size } from './format.ts';
import { Html, html } from './html.ts';
import { mapSection } from './item-map.ts';
import { modelCard, nameOf, sizeOf } from './model-card.ts';
import { peopleSection } from './people.ts';
import type { Section } from './section.ts';
import { standingsSection } from './standings.ts';
import { STYLE } from './style.ts';
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
    throw new UserError(`${source}: holds no ratings to judge the model by`);
  const { manifest } = recommender.artifact;
  const judged = data && (await judge(recommender, data));
  const sections = [
    modelCard(manifest),
    await trainingSection(manifest),
    await accuracySection(judged, source),
    await standingsSection(recommender),
    await mapSection(recommender),
    await peopleSection(recommender, data),
  ];
  return page(recommender, judged, sections).markup;
}

// Whatever gets into it, the page can neither run nor load anything.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

function page(
  { artifact: { manifest } }: Recommender,
  judged: Judged | undefined,
  sections: readonly Section[],
): Html {
  const { data, metrics, model, cofactor } = manifest;
  const name = nameOf(manifest);
  const { valid } = metrics;
  const numbers: [string, string][] = [
    ...(judged ? [['RMSE on the data given', error(judged.rmse)] as [string, string]] : []),
    ...(valid ? [['validation RMSE', error(valid.rmse)] as [string, string]] : []),
    ['training RMSE', error(metrics.train.rmse)],
    ['users', count(data.users)],
    ['items', count(data.items)],
    ['in all its files', size(sizeOf(manifest))],
  ];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name}: report on a trained model</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<p class="eyebrow">Report on a trained model</p>
<h1>${name}</h1>
<p class="lead">${model.name}, trained by cofactor ${cofactor} on ${plural(data.ratings, 'rating')} from ${short(data.low)} to
${short(data.high)}</p>
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
points: the lower, the better.</footer>
</body>
</html>
`;
}
