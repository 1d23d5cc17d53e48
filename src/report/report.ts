import { partsOf, type TrainedFor, trainedFor } from '../artifact/manifest.ts';
import { checkKind } from '../data/dataset/dataset.ts';
import { type Ratings, someRatings } from '../data/dataset/ratings.ts';
import { headerOf, html, pageOf } from '../document/html.ts';
import { inShort } from '../document/table.ts';
import { UserError } from '../errors.ts';
import { type Recommender, someRecommender } from '../recommend/recommender.ts';
import { count, error, nounOf, plural, short, size } from '../util/format.ts';
import { checkArgument, checkOptions, type OptionTable, text } from '../util/options.ts';
import { type AllJudged, accuracySection } from './accuracy.ts';
import { judge } from './data.ts';
import { mapSection } from './item-map.ts';
import { modelCard, nameOf, sizeOf } from './model-card.ts';
import { peopleSection } from './people.ts';
import { qualitySection } from './quality.ts';
import { judgeRankings } from './rankings.ts';
import { standingsSection } from './standings.ts';
import { trainingSection } from './training.ts';
import { WORDS } from './words.ts';

export interface ReportOptions {
  /**
   * Ratings, or interactions, to evaluate the model on, if possible such that it was not trained on. Errors are those of an
   * even sample of a million ratings. Default: no evaluation
   */
  readonly data?: Ratings | undefined;
  /** Model that is evaluated on these data, such as the same recipe trained without them. Default: the model of the report */
  readonly judge?: Recommender | undefined;
  /** Name of these data, such as that of their file. @default 'the data' */
  readonly source?: string | undefined;
}

const REPORT_OPTIONS: OptionTable<ReportOptions> = {
  data: someRatings,
  judge: someRecommender,
  source: text,
};

const ERRORS =
  'RMSE is the root mean squared error, MAE the mean absolute error, both in rating points. Lower is better. ';

/** What precedes figures of another model than that of the report. */
const JUDGED = html`<p>These are figures of the judged model: the same recipe, trained without what was held out.</p>`;

const AIMS: Readonly<Record<TrainedFor, string>> = {
  both: 'It recommends items, and predicts ratings',
  rating: 'It predicts ratings, and recommends by them',
  ranking: 'It recommends items',
};

/**
 * Makes a report on a trained model: what it is, how it was trained, its errors if it predicts ratings, how good its
 * recommendations are, and what it has learned. It is one HTML file, without scripts, fonts or network.
 *
 * @returns the text of the HTML file
 * @throws UserError for data without rows, or of another kind than those of training
 */
export async function report(recommender: Recommender, options: ReportOptions = {}): Promise<string> {
  checkArgument('the recommender is', recommender, someRecommender);
  checkOptions(options, REPORT_OPTIONS);
  const { data, judge: judge_ = recommender, source = 'the data' } = options;
  if (data && data.ratings.length === 0)
    throw new UserError('data', `${source}: has no ${data.kind} to evaluate the model on`);
  const { manifest } = recommender.artifact;
  const { kind } = recommender;
  if (data) checkKind({ kind: data.kind, name: source }, kind);
  const words = WORDS[kind];
  const { rating, ranking } = partsOf(manifest);
  const judged: AllJudged | undefined = data && {
    ratings: rating && (await judge(judge_, data)),
    rankings: await judgeRankings(judge_, data),
  };
  const name = nameOf(manifest);
  const held = manifest.judged;
  const sections = [
    { id: 'quality', title: 'How good it is', body: qualitySection(held, name) },
    {
      id: 'accuracy',
      title: kind === 'ratings' ? 'How accurate it is' : 'How good its recommendations are',
      body: html`${options.judge && JUDGED}${await accuracySection(judged, source, kind)}`,
    },
    {
      id: 'standings',
      title: words.best,
      body: await standingsSection(recommender),
    },
    { id: 'map', title: 'The map of items', body: await mapSection(recommender) },
    {
      id: 'people',
      title: 'Three users',
      body: await peopleSection(recommender, options.judge ? undefined : data, source),
    },
    { id: 'training', title: 'How it was trained', body: await trainingSection(manifest) },
    { id: 'model', title: 'The model', body: modelCard(manifest) },
  ];
  const { model, cofactor, data: facts } = manifest;
  const lists = typeof judged?.rankings === 'object' ? judged.rankings.model.at[0] : undefined;
  const inFigures = (value: number | undefined) => (value === undefined ? undefined : error(value));
  const title = `A recommender trained on ${kind}`;
  const heldOut: [string, string | undefined][] = [
    ['held-out NDCG', inFigures(held ? held.ranking?.model.ndcg : ranking?.metrics.valid?.ndcg)],
    ['held-out RMSE', inFigures(held ? held.rating?.model.rmse : rating?.metrics.valid?.rmse)],
  ];
  const onData: typeof heldOut = [
    ['NDCG on the data', inFigures(lists?.ndcg)],
    ['RMSE on the data', inFigures(judged?.ratings?.rmse)],
  ];
  const numbers: typeof heldOut = [
    ...heldOut,
    // The data may be what was held out.
    ...onData.filter(([, value], at) => value !== heldOut[at][1]),
    ['users', count(facts.users)],
    ['items', count(facts.items)],
    ['size of its files', size(sizeOf(manifest))],
  ];
  const differ = kind === 'ratings' || facts.low < facts.high;
  const scale =
    differ && `${kind === 'ratings' ? '' : ' of strengths'} from ${short(facts.low)} to ${short(facts.high)}`;
  const body = html`${headerOf(
    'Report on a trained model',
    title,
    `${AIMS[trainedFor(manifest)]}: the model “${name}” (${model.name}), trained by cofactor ${cofactor} on ${plural(facts.ratings, nounOf(kind))}${scale || ''} of ${plural(facts.items, 'item')} by ${plural(facts.users, 'user')}`,
    html`${inShort(numbers)}
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`,
  )}
<main>
${sections.map(
  ({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`,
)}</main>
<footer>Made by cofactor report. ${rating && ERRORS}NDCG is the normalised discounted cumulative gain of lists of ten. Higher is better.</footer>`;
  return pageOf(`${title}: report on a trained model`, body);
}
