import { useMemo, useState } from 'preact/hooks';
import type { ItemRating } from '../../web.ts';
import type { PageModel } from '../models/page-model.ts';
import type { Scale } from '../models/scale.ts';

export interface OwnRatings {
  /** Ratings that the model can use, the latest first. */
  readonly list: readonly ItemRating[];
  /** Number of stored ratings that the model cannot use. */
  readonly aside: number;
  of(item: string): number | undefined;
  rate(item: string, rating: number | undefined): void;
  clear(): void;
}

/** Properties of components that ask for ratings. */
export interface RatingProps {
  readonly model: PageModel;
  readonly scale: Scale;
  readonly ratings: OwnRatings;
}

/** A rating as it is stored between visits. */
interface KeptRating extends ItemRating {
  readonly title: string;
}

const KEY = 'cofactor.ratings';

function keptRatings(): KeptRating[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    return [];
  }
}

function keepRatings(ratings: readonly KeptRating[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(ratings));
  } catch {
    // If the browser stores nothing, ratings last until the page is closed.
  }
}

function isKept(one: unknown): one is KeptRating {
  const { item, rating, title } = Object(one);
  return typeof item === 'string' && Number.isFinite(rating) && typeof title === 'string';
}

/** The visitor's ratings. Those of items that the model does not know stay stored for another model. */
export function useRatings(model: PageModel): OwnRatings {
  const [kept, setKept] = useState(keptRatings);
  return useMemo(() => {
    const fits = (rating: KeptRating): boolean => canUse(model, rating);
    const list = kept.filter(fits).map(({ item, rating }) => ({ item, rating }));
    const byItem = new Map(list.map(({ item, rating }) => [item, rating]));
    const change = (next: KeptRating[]): void => {
      keepRatings(next);
      setKept(next);
    };
    return {
      list,
      aside: kept.length - list.length,
      of: (item) => byItem.get(item),
      rate: (item, rating) => {
        if (rating === undefined) return change(kept.filter((one) => one.item !== item || !fits(one)));
        const at = kept.findIndex((one) => one.item === item && fits(one));
        const own = { item, rating, title: model.item(item).title };
        change(at === -1 ? [own, ...kept] : kept.with(at, own));
      },
      clear: () => change(kept.filter((one) => !fits(one))),
    };
  }, [kept, model]);
}

/** Another model may use the same id for another item; then the title differs. */
function canUse(model: PageModel, { item, rating, title }: KeptRating): boolean {
  const { low, high } = model.manifest.data;
  const inRange = Math.fround(rating) >= low && Math.fround(rating) <= high;
  const other = model.recommender.titles.has(item) && title !== item && model.item(item).title !== title;
  return inRange && model.has(item) && !other;
}
