import type { Judgement } from '../artifact/judgement.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { bootstrap, type Interval } from '../evaluate/bootstrap.ts';
import { dampedMeansOf } from '../evaluate/damped-means.ts';
import { errorSums } from '../evaluate/errors.ts';
import { metrics } from '../evaluate/metrics.ts';
import type { Trained } from './epochs.ts';
import type { FitResult } from './fit.ts';
import { epochsSinceBest } from './progress.ts';
import { rankingJudge } from './ranking-judge.ts';
import type { ProgramRecipe } from './recipe/recipe.ts';

/** How a model is judged. */
export interface JudgeOptions {
  /** How what it is judged on was chosen. @default 'random' */
  readonly by?: Judgement['by'] | undefined;
  /** Whether the judged model is the one that is saved. @default false */
  readonly isSaved?: boolean | undefined;
}

/**
 * Judges what was trained on held-out data, beside baselines that are made from the same training data.
 *
 * @param heldOut ratings or interactions that were not trained on, with the ids of the training data
 */
export async function judgementOf(
  fit: FitResult,
  heldOut: Ratings,
  { by = 'random', isSaved = false }: JudgeOptions = {},
): Promise<Judgement> {
  const { kind = 'ratings', ratings, users, items } = fit.data.facts;
  const [rating, ranking] = [await ofPredictions(fit, heldOut), await ofRankings(fit, heldOut)];
  // A saved model has its history in the manifest anyway.
  const historyOf = (part: Pick<Trained, 'history'> | undefined) =>
    part && !isSaved ? { history: [...part.history] } : {};
  return {
    ...{ by, kind, isSaved, users, items, heldOut: heldOut.ratings.length, trained: ratings },
    ...(rating && { rating: { ...rating, ...historyOf(fit.rating) } }),
    ...(ranking && { ranking: { ...ranking, ...historyOf(fit.ranking) } }),
  };
}

/** The epochs that were best on what was held out, as a recipe has them. */
export function bestEpochs(fit: FitResult): Pick<ProgramRecipe, 'epochs' | 'rankingEpochs'> {
  const best = (part: FitResult['rating'] | FitResult['ranking']): number | undefined =>
    part && 'epochs' in part.plan.training ? part.history.length - epochsSinceBest(part.history) : undefined;
  const [epochs, rankingEpochs] = [best(fit.rating), best(fit.ranking)];
  return { ...(epochs && { epochs }), ...(rankingEpochs && { rankingEpochs }) };
}

async function ofPredictions(
  { data, rating, runtime }: FitResult,
  { users, items, ratings, userIds }: Ratings,
): Promise<Judgement['rating']> {
  if (!rating) return undefined;
  const predicted = {
    model: await rating.scorer.score(rating.parameters, users, items),
    mean: new Float32Array(users.length).fill(data.facts.mean),
    dampedMeans: (await dampedMeansOf(data, runtime)).predict(users, items),
  };
  const sums = Object.values(predicted).map((one) => errorSums(one, ratings, users, userIds.length + 1));
  const rated = sums[0].counts;
  const columns = sums.map(({ squares }) => squares.filter((_, user) => rated[user] > 0));
  const [mean, dampedMeans] = bootstrap(columns, ([own, ofMean, ofMeans]) => [
    lower(own, ofMean),
    lower(own, ofMeans),
  ]);
  return {
    model: metrics(predicted.model, ratings),
    mean: metrics(predicted.mean, ratings),
    dampedMeans: metrics(predicted.dampedMeans, ratings),
    better: { mean: [...mean], dampedMeans: [...dampedMeans] },
    users: columns[0].length,
  };
}

/** How much lower an RMSE is, as a part of the other, from sums of squares. */
const lower = (own: number, other: number): number => (other > 0 ? 1 - Math.sqrt(own / other) : 0);

async function ofRankings(
  { data, ranking, runtime }: FitResult,
  valid: Ratings,
): Promise<Judgement['ranking']> {
  if (!ranking) return undefined;
  const judge = await rankingJudge({ data, valid, counts: ranking.positives.counts });
  const [model, popular] = [await judge.inFull(await ranking.ranker(runtime)), await judge.popular()];
  // Of zeros alone there is nothing to say.
  if (!model || !popular || model.ndcg + popular.ndcg === 0) return undefined;
  const chance = judge.byChance();
  // Where items are about equally popular, those that are held out are the less popular of training: lists of these are worse than chance.
  const { ndcgOfUsers } = popular.ndcg > chance.ndcg ? popular : chance;
  const differences = model.ndcgOfUsers.map((ndcg, user) => ndcg - ndcgOfUsers[user]);
  const [better]: Interval[] = bootstrap([differences], ([sum, users]) => [sum / users]);
  return {
    model: { ndcg: model.ndcg, precision: model.precision },
    popular: { ndcg: popular.ndcg, precision: popular.precision },
    chance: { ndcg: chance.ndcg, precision: chance.precision },
    better: [...better],
    users: differences.length,
  };
}
