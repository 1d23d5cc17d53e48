import { isSolved } from '../../graphs/models/index.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { bootstrap, type Interval } from '../evaluate/bootstrap.ts';
import { memoryOf, secondsOf } from '../solve/sides.ts';
import type { FitResult } from './fit.ts';
import { solveItemItem } from './item-item.ts';
import { rankingJudge } from './ranking-judge.ts';

/** How item-item ranks, where it ranks clearly better than another model. */
export interface ItemItemAhead {
  /** NDCG at 10. */
  readonly ndcg: number;
  /** 95 % confidence interval of the difference from the other model, over users. */
  readonly difference: Interval;
}

/** Memory for a try that nobody asked for. */
const MEMORY = 1e9;
/** An interval over fewer users says little. */
const FEWEST_USERS = 50;
/** Estimated time to rank, per user and item, by two models. */
const SECONDS_OF_SCORE = 1e-8;

/** See `itemItemAhead` of `Fitted`. */
export async function itemItemAhead(
  { data, ranking, runtime }: FitResult,
  actual: Ratings,
  seconds: number,
): Promise<ItemItemAhead | undefined> {
  if (!ranking || isSolved(ranking.plan.model.name)) return undefined;
  const { facts } = data;
  const judging = SECONDS_OF_SCORE * Math.min(facts.users, actual.ratings.length) * facts.items;
  const sizes = { ...facts, pairs: facts.ratings };
  if (memoryOf(sizes) > MEMORY || secondsOf(sizes) + judging > seconds) return undefined;
  const { positive, weights } = ranking.plan.training;
  const other = await solveItemItem(
    data,
    { model: 'item-item', positive, ...(weights && { weights }) },
    { runtime },
  );
  const judge = await rankingJudge({ data, valid: actual, counts: ranking.positives.counts });
  const own = (await judge.inFull(await ranking.ranker(runtime)))?.ndcgOfUsers;
  const others = await judge.inFull(await other.ranker(runtime));
  if (!own || !others || own.length < FEWEST_USERS) return undefined;
  const differences = others.ndcgOfUsers.map((ndcg, user) => ndcg - own[user]);
  const [difference] = bootstrap([differences], ([sum, users]) => [sum / users]);
  if (!(difference[0] > 0)) return undefined;
  return { ndcg: others.ndcg, difference };
}
