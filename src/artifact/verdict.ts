import { capital, count, decimal, nounOf, percent, plural } from '../util/format.ts';
import type { Judgement } from './judgement.ts';

/** What a judgement says, in words. */
export interface Verdict {
  /** One sentence, without a full stop. */
  readonly sentence: string;
  /** What is worse than a trivial guess, one sentence each; empty for a model that is as good as its baselines or better. */
  readonly warnings: readonly string[];
}

/** With fewer ratings each, little can be known of users or items. */
const FEW = 5;
/** With fewer held-out ratings, a judgement is rough. */
const FEW_HELD_OUT = 200;

/** An interval over fewer users says too little. */
const FEWEST_USERS = 30;

/** What there is to say where rankings cannot be judged. */
export const NO_HITS = 'Recommendations cannot be judged: no list has an item that is held out, and relevant';

/** Says how good a model is, from its judgement. */
export function verdictOf(judgement: Judgement): Verdict {
  const parts = [ratingVerdict(judgement), rankingVerdict(judgement)].filter((part) => part !== undefined);
  if (parts.length === 0) return { sentence: NO_HITS, warnings: [] };
  const few = tooFew(judgement);
  const reasons = parts.map(({ reason }) => reason && (few ?? reason));
  const isShared = reasons.every((reason) => reason === reasons[0]);
  const words = parts.map(({ words }, at) =>
    reasons[at] && (!isShared || at === parts.length - 1) ? `${words}: ${reasons[at]}` : words,
  );
  return {
    sentence: capital(words.join('; ')),
    warnings: parts.flatMap(({ warning }) => (warning === undefined ? [] : [warning])),
  };
}

interface PartVerdict {
  readonly words: string;
  /** Why it is no better than a baseline if there are enough data; absent if it is better. */
  readonly reason?: string | undefined;
  readonly warning?: string | undefined;
}

const MEANS = 'users’ and items’ averages';

function ratingVerdict({ rating }: Judgement): PartVerdict | undefined {
  if (!rating) return undefined;
  const { model, mean, dampedMeans, better, users } = rating;
  const beatsMean = better.mean[0] > 0 && users >= FEWEST_USERS;
  const isBetter = better.dampedMeans[0] > 0 && beatsMean;
  const [name, baseline] = beatsMean ? [MEANS, dampedMeans] : ['the average', mean];
  const worse = Object.entries({ 'the average of all ratings': mean, [MEANS]: dampedMeans })
    .filter(([, { rmse }]) => model.rmse > rmse)
    .map(([name, { rmse }]) => `${name} (${decimal(rmse, 4)})`);
  return {
    words: isBetter
      ? `predictions are ${percent(1 - model.rmse / baseline.rmse)} better than ${name}`
      : `predictions are no better than ${name}`,
    ...(!isBetter && {
      reason: `the model finds no pattern ${beatsMean ? 'beyond them' : 'in who rates what how high'}`,
    }),
    ...(worse.length > 0 && {
      warning: `the model predicts worse (RMSE ${decimal(model.rmse, 4)}) than ${worse.join(' and than ')}`,
    }),
  };
}

function rankingVerdict({ kind, ranking }: Judgement): PartVerdict | undefined {
  if (!ranking) return undefined;
  const { model, popular, chance, better, users } = ranking;
  const [name, baseline] =
    popular.ndcg > chance.ndcg ? ['the most popular items', popular] : ['lists in random order', chance];
  const isBetter = better[0] > 0 && users >= FEWEST_USERS;
  const times = model.ndcg / baseline.ndcg;
  const words = Number.isFinite(times)
    ? times >= 2
      ? `${decimal(times, 1)} times as good as`
      : `${percent(times - 1)} better than`
    : 'better than';
  return {
    words: `recommendations are ${isBetter ? words : 'no better than'} ${name}`,
    ...(!isBetter && {
      reason: `the model finds no pattern in who ${kind === 'ratings' ? 'likes' : 'has'} what`,
    }),
    ...(model.ndcg < baseline.ndcg && {
      warning: `the model recommends worse (NDCG@10 ${decimal(model.ndcg, 4)}) than ${name} (${decimal(baseline.ndcg, 4)})`,
    }),
  };
}

/** Whether there are too few data to learn from, or to tell; undefined if there are enough. */
function tooFew({ kind, heldOut, trained, users, items, ...parts }: Judgement): string | undefined {
  const noun = nounOf(kind);
  const [perUser, perItem] = [trained / users, trained / items];
  const judged = Math.max(parts.rating?.users ?? 0, parts.ranking?.users ?? 0);
  const reasons = [
    ...(perUser < FEW ? [`too few ${noun}s per user (${decimal(perUser, 1)})`] : []),
    ...(perItem < FEW && perUser >= FEW ? [`too few ${noun}s per item (${decimal(perItem, 1)})`] : []),
    ...(heldOut < FEW_HELD_OUT || judged < FEWEST_USERS
      ? [`${plural(heldOut, `held-out ${noun}`)} of ${plural(judged, 'user')} tell little`]
      : []),
  ];
  return reasons.length > 0 ? reasons.join(', and ') : undefined;
}

/** A model or a baseline, with what it is judged by. */
export interface Compared {
  readonly name: string;
  readonly rating?: { readonly rmse: number; readonly mae: number } | undefined;
  readonly ranking?: { readonly ndcg: number; readonly precision: number } | undefined;
}

/** The model of a judgement, then its baselines. @param model its name */
export const comparedIn = ({ rating, ranking }: Judgement, model: string): Compared[] => [
  { name: model, rating: rating?.model, ranking: ranking?.model },
  ...(rating
    ? [
        { name: MEANS, rating: rating.dampedMeans },
        { name: 'the average of all ratings', rating: rating.mean },
      ]
    : []),
  ...(ranking
    ? [
        { name: 'the most popular items', ranking: ranking.popular },
        { name: 'lists in random order', ranking: ranking.chance },
      ]
    : []),
];

const CHOSEN: Readonly<Record<Judgement['by'], string>> = {
  random: 'held out at random',
  time: 'the latest, held out',
  'leave-last-out': 'the last of each user, held out',
  file: 'in a file of their own',
};

/** What a judgement is about, in two sentences without a full stop at the end. */
export function judgedOn({ by, kind, heldOut, trained, isSaved }: Judgement): string {
  const others = by === 'file' ? plural(trained, nounOf(kind)) : `the other ${count(trained)}`;
  return `Judged on ${plural(heldOut, nounOf(kind))}, ${CHOSEN[by]}, after training on ${others}${isSaved ? '' : '. The saved model is trained on all of them'}`;
}
