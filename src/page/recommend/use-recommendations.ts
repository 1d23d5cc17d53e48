import { useEffect, useState } from 'preact/hooks';
import { vectorsOf } from '../../util/item-map.ts';
import type { ItemRating, Own, Recommender } from '../../web.ts';
import { messageOf } from '../messages.ts';
import type { PageModel } from '../models/page-model.ts';
import type { OwnItem } from './use-own-items.ts';

export interface Recommendation {
  readonly item: string;
  /** Predicted rating; absent for a model that only ranks. */
  readonly rating?: number | undefined;
  /** What the visitor has that explains it best. */
  readonly reasons: readonly OwnItem[];
}

export interface Recommendations {
  readonly list: readonly Recommendation[];
  readonly milliseconds?: number;
  readonly error?: string;
  /** Whether the first ones are being computed. */
  readonly waiting: boolean;
}

const NONE: Recommendations = { list: [], waiting: false };

export function useRecommendations(model: PageModel, own: readonly OwnItem[]): Recommendations {
  const [shown, setShown] = useState<Recommendations>(NONE);
  useEffect(() => {
    if (!model.can('fold-in')) return setShown(NONE);
    // Opens the session early, so that the first recommendations need not wait for it.
    model.recommender.session('fold-in').catch(() => undefined);
    if (own.length === 0) return setShown(NONE);
    let current = true;
    setShown((before) => ({ ...before, waiting: before.list.length === 0, error: undefined }));
    recommend(model, own).then(
      (found) => current && setShown(found),
      (error) => current && setShown({ ...NONE, error: messageOf(error) }),
    );
    return () => {
      current = false;
    };
  }, [model, own]);
  return shown;
}

async function recommend(model: PageModel, own: readonly OwnItem[]): Promise<Recommendations> {
  const { recommender, byWeights } = model;
  const explaining = byWeights ? 'similar' : 'factors';
  const explains = model.can(explaining);
  // Before the clock starts: opening sessions is not part of a recommendation's time.
  await Promise.all(['fold-in', ...(explains ? [explaining] : [])].map((head) => recommender.session(head)));
  const started = performance.now();
  const { recommended } = await recommender.foldIn(given(model, own), { k: 10 });
  const items = recommended.map(({ item }) => item);
  const reasons = explains
    ? await (byWeights ? reasonsByWeights(model, items, own) : reasonsFor(recommender, items, own))
    : [];
  return {
    list: recommended.map((one, at) => ({
      item: one.item,
      rating: one.rating,
      reasons: reasons[at] ?? [],
    })),
    milliseconds: performance.now() - started,
    waiting: false,
  };
}

/** What a model is asked with. */
const given = ({ kind }: PageModel, own: readonly OwnItem[]): Own =>
  kind === 'ratings' ? (own as ItemRating[]) : own.map(({ item }) => item);

/**
 * Explains recommendations: of the items that the person likes, the two that are the most similar.
 *
 * @returns a list for each recommended item; empty if no item is similar
 */
async function reasonsFor(
  recommender: Recommender,
  recommended: readonly string[],
  own: readonly OwnItem[],
): Promise<OwnItem[][]> {
  const liked = likedOf(own);
  const ids = [...recommended, ...liked.map(({ item }) => item)];
  const vectors = vectorsOf(await recommender.factors(ids), ids.length);
  return recommended.map((_, at) =>
    liked
      .map((mine, index) => ({ mine, near: cosine(vectors[at], vectors[recommended.length + index]) }))
      .filter(({ near }) => near > 0)
      .sort((a, b) => b.near - a.near)
      .slice(0, 2)
      .map(({ mine }) => mine),
  );
}

/** The same by weights: what the person has, or likes as the model counts it, that adds the most to the score. */
async function reasonsByWeights(
  { recommender, manifest }: PageModel,
  recommended: readonly string[],
  own: readonly OwnItem[],
): Promise<OwnItem[][]> {
  const least = Number(manifest.training.positive);
  const liked = own.filter(({ rating = least }) => !(rating < least));
  if (liked.length === 0) return [];
  const lists = await recommender.similar(
    liked.map(({ item }) => item),
    { k: recommender.items.length || MOST_WEIGHTS },
  );
  const weights = lists.map((list) => new Map(list.map(({ item, similarity }) => [item, similarity])));
  return recommended.map((item) =>
    liked
      .map((mine, at) => ({ mine, weight: weights[at].get(item) ?? 0 }))
      .filter(({ weight }) => weight > 0)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, 2)
      .map(({ mine }) => mine),
  );
}

/** Number of weights to ask for, where the number of items is not known. */
const MOST_WEIGHTS = 1000;

/** What a person rated at least as high as on average, or all that they have. */
function likedOf(own: readonly OwnItem[]): readonly OwnItem[] {
  const mean = own.reduce((sum, { rating = 0 }) => sum + rating, 0) / own.length;
  return own.filter(({ rating = mean }) => rating >= mean);
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, at) => sum + value * y[at], 0);
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}
