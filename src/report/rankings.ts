import { readSeen } from '../artifact/seen.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { relevantFrom } from '../data/dataset/positives.ts';
import { type Ratings, renumbered } from '../data/dataset/ratings.ts';
import { type Html, html, missing } from '../document/html.ts';
import { numbers, table } from '../document/table.ts';
import { baselineRanker, recommenderRanker } from '../evaluate/rankers.ts';
import { type Ranking, type RankingMeans, rankingMeans } from '../evaluate/ranking.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { decimal, error, percent, plural } from '../util/format.ts';
import { leftOut, WORDS } from './words.ts';

/** Quality of lists: of the model's, and of the list of the most popular items, which is the same for everyone. */
export interface RankingsJudged {
  readonly kind: Recommender['kind'];
  /** Which items the lists leave out, after `items`. */
  readonly leftOut: string;
  readonly model: Ranking<RankingMeans>;
  readonly popular?: Ranking<RankingMeans> | undefined;
}

/** @returns the quality of rankings, or the reason why there is none */
export async function judgeRankings(
  recommender: Recommender,
  data: Ratings,
): Promise<RankingsJudged | string> {
  const { artifact, items, kind } = recommender;
  if (!recommender.heads.includes('recommend')) return 'The model has no recommend.onnx.';
  const rated = readSeen(artifact);
  if (!rated)
    return `How good the recommendations are is not shown, because it is not known what users ${WORDS[kind].did} in training. The model was trained with seen: false.`;
  const known = readVocabulary(artifact);
  const heldOut = renumbered(data, known);
  const options = { k: [10], threshold: relevantFrom(artifact.manifest.data) };
  const model = await rankingMeans(recommenderRanker(recommender, known, rated), rated, heldOut, options);
  if (!model)
    return `How good the recommendations are is not shown: no user that the model knows has ${
      kind === 'ratings'
        ? `a rating of ${decimal(options.threshold)} or higher here of an item that they did not rate in training`
        : 'an item here that recommendations to them may have'
    }.`;
  const counts = Float32Array.from(items, ({ count }) => count);
  const popular =
    counts.length > 0
      ? await rankingMeans(baselineRanker({ scores: () => counts }, rated), rated, heldOut, options)
      : undefined;
  return { kind, leftOut: leftOut(artifact, rated), model, popular };
}

export function rankingsPart(judged: RankingsJudged | string, source: string): Html {
  if (typeof judged === 'string') return missing(judged);
  const { kind, leftOut, model, popular } = judged;
  const rows: [string, Ranking<RankingMeans> | undefined][] = [
    ['this model', model],
    [kind === 'ratings' ? 'the most rated items' : 'the most popular items', popular],
  ];
  const right = kind === 'ratings' ? `rates it ${decimal(model.threshold)} or higher` : 'has it';
  return html`<p>Lists of ten for ${plural(model.users, 'user')}, of all items except those ${leftOut}.
An item is right if the user ${right} in <bdi class="source">${source}</bdi>. The list of what is popular has
${WORDS[kind].popular}, the same for everyone.</p>
${table(
  'Lists of ten recommendations',
  ['Lists of', ...numbers('NDCG', 'Precision', 'Recall', 'Users with a right item', 'Items ever listed')],
  rows.flatMap(([name, ranking]) =>
    ranking
      ? ranking.at.map(({ ndcg, precision, recall, hitRate, coverage }) => [
          name,
          error(ndcg),
          error(precision),
          error(recall),
          percent(hitRate),
          percent(coverage),
        ])
      : [],
  ),
)}
<p>NDCG is 1 if the right items come first, and 0 if there are none. ${plural(model.withoutRelevant, 'other user')} without a right item
not counted.</p>`;
}
