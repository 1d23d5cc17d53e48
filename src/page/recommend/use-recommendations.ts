import { useEffect, useState } from 'preact/hooks';
import { vectorsOf } from '../../util/item-map.ts';
import type { ItemRating, Recommender } from '../../web.ts';
import { messageOf } from '../messages.ts';
import type { PageModel } from '../models/page-model.ts';

export interface Recommendation {
  readonly item: string;
  /** Predicted rating; absent for a model that only ranks. */
  readonly rating?: number | undefined;
  /** The ratings that explain it best. */
  readonly reasons: readonly ItemRating[];
}

export interface Recommendations {
  readonly list: readonly Recommendation[];
  readonly milliseconds?: number;
  readonly error?: string;
  /** Whether the first ones are being computed. */
  readonly waiting: boolean;
}

const NONE: Recommendations = { list: [], waiting: false };

export function useRecommendations(model: PageModel, ratings: readonly ItemRating[]): Recommendations {
  const [shown, setShown] = useState<Recommendations>(NONE);
  useEffect(() => {
    if (!model.can('fold-in')) return setShown(NONE);
    // Opens the session early, so that the first rating need not wait for it.
    model.recommender.session('fold-in').catch(() => undefined);
    if (ratings.length === 0) return setShown(NONE);
    let current = true;
    setShown((before) => ({ ...before, waiting: before.list.length === 0, error: undefined }));
    recommend(model, ratings).then(
      (found) => current && setShown(found),
      (error) => current && setShown({ ...NONE, error: messageOf(error) }),
    );
    return () => {
      current = false;
    };
  }, [model, ratings]);
  return shown;
}

async function recommend(model: PageModel, ratings: readonly ItemRating[]): Promise<Recommendations> {
  const { recommender } = model;
  const explains = model.can('factors');
  // Before the clock starts: opening sessions is not part of a recommendation's time.
  await Promise.all(['fold-in', ...(explains ? ['factors'] : [])].map((head) => recommender.session(head)));
  const started = performance.now();
  const { recommended } = await recommender.foldIn(ratings, { k: 10 });
  const items = recommended.map(({ item }) => item);
  const reasons = explains ? await reasonsFor(recommender, items, ratings) : [];
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

/**
 * Explains recommendations: of the ratings that are at least the person's average, the two with the most similar items.
 *
 * @returns a list for each recommended item; empty if no item is similar
 */
async function reasonsFor(
  recommender: Recommender,
  recommended: readonly string[],
  ratings: readonly ItemRating[],
): Promise<ItemRating[][]> {
  const mean = ratings.reduce((sum, { rating }) => sum + rating, 0) / ratings.length;
  const liked = ratings.filter(({ rating }) => rating >= mean);
  const ids = [...recommended, ...liked.map(({ item }) => item)];
  const vectors = vectorsOf(await recommender.factors(ids), ids.length);
  return recommended.map((_, at) =>
    liked
      .map((rating, index) => ({ rating, near: cosine(vectors[at], vectors[recommended.length + index]) }))
      .filter(({ near }) => near > 0)
      .sort((a, b) => b.near - a.near)
      .slice(0, 2)
      .map(({ rating }) => rating),
  );
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, at) => sum + value * y[at], 0);
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}
