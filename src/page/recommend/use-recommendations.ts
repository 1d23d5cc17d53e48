import { useEffect, useState } from 'preact/hooks';
import type { ItemRating } from '../../web.ts';
import { messageOf } from '../messages.ts';
import type { PageModel } from '../models/page-model.ts';
import { reasonsFor } from './reasons.ts';

export interface Recommendation extends ItemRating {
  /** The ratings that it follows from most. */
  readonly reasons: readonly ItemRating[];
}

export interface Recommendations {
  readonly list: readonly Recommendation[];
  /** What it took to compute them. */
  readonly milliseconds?: number;
  readonly error?: string;
  /** Whether the first ones are still to come. */
  readonly waiting: boolean;
}

const NONE: Recommendations = { list: [], waiting: false };

/** Ten recommendations that follow the ratings. */
export function useRecommendations(model: PageModel, ratings: readonly ItemRating[]): Recommendations {
  const [shown, setShown] = useState<Recommendations>(NONE);
  useEffect(() => {
    if (!model.can('fold-in')) return setShown(NONE);
    // So that the first rating need not wait for it.
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
  // To open them is no part of the time that a recommendation takes.
  await Promise.all(['fold-in', ...(explains ? ['factors'] : [])].map((head) => recommender.session(head)));
  const started = performance.now();
  const { recommended } = await recommender.foldIn(ratings, { k: 10 });
  const items = recommended.map(({ item }) => item);
  const reasons = explains ? await reasonsFor(recommender, items, ratings) : [];
  return {
    list: recommended.map((one, at) => ({ ...one, reasons: reasons[at] ?? [] })),
    milliseconds: performance.now() - started,
    waiting: false,
  };
}
