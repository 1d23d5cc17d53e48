import { useMemo, useState } from 'preact/hooks';
import type { PageModel } from '../models/page-model.ts';
import type { Scale } from '../models/scale.ts';
import type { Kind } from '../models/words.ts';

/** An item that the visitor rated or, for a model of interactions, has. */
export interface OwnItem {
  readonly item: string;
  readonly rating?: number;
}

export interface OwnItems {
  readonly kind: Kind;
  /** Items that the model can use, the latest first. */
  readonly list: readonly OwnItem[];
  /** Number of stored items that the model cannot use. */
  readonly aside: number;
  of(item: string): OwnItem | undefined;
  /** @param rating for a model of ratings */
  add(item: string, rating?: number): void;
  remove(item: string): void;
  clear(): void;
}

/** Properties of components that ask what the visitor rated or has. */
export interface OwnProps {
  readonly model: PageModel;
  readonly scale: Scale;
  readonly own: OwnItems;
}

/** An item as it is stored between visits. */
interface KeptItem extends OwnItem {
  readonly title: string;
}

const KEYS: Readonly<Record<Kind, string>> = {
  ratings: 'cofactor.ratings',
  interactions: 'cofactor.items',
};

function keptItems(kind: Kind): KeptItem[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEYS[kind]) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => isKept(one, kind)) : [];
  } catch {
    return [];
  }
}

function keepItems(kind: Kind, items: readonly KeptItem[]): void {
  try {
    localStorage.setItem(KEYS[kind], JSON.stringify(items));
  } catch {
    // If the browser stores nothing, they last until the page is closed.
  }
}

function isKept(one: unknown, kind: Kind): one is KeptItem {
  const { item, rating, title } = Object(one);
  const isRated = kind === 'interactions' || Number.isFinite(rating);
  return typeof item === 'string' && isRated && typeof title === 'string';
}

/** What the visitor rated or has. Items that the model does not know stay stored for another model. */
export function useOwnItems(model: PageModel): OwnItems {
  const { kind } = model;
  const [kept, setKept] = useState(() => keptItems(kind));
  return useMemo(() => {
    const fits = (one: KeptItem): boolean => canUse(model, one);
    const list = kept.filter(fits).map(({ title: _, ...own }): OwnItem => own);
    const byItem = new Map(list.map((own) => [own.item, own]));
    const change = (next: KeptItem[]): void => {
      keepItems(kind, next);
      setKept(next);
    };
    return {
      kind,
      list,
      aside: kept.length - list.length,
      of: (item) => byItem.get(item),
      add: (item, rating) => {
        const at = kept.findIndex((one) => one.item === item && fits(one));
        const own = { item, ...(rating !== undefined && { rating }), title: model.item(item).title };
        change(at === -1 ? [own, ...kept] : kept.with(at, own));
      },
      remove: (item) => change(kept.filter((one) => one.item !== item || !fits(one))),
      clear: () => change(kept.filter((one) => !fits(one))),
    };
  }, [kept, model]);
}

/** Another model may use the same id for another item; then the title differs. */
function canUse(model: PageModel, { item, rating, title }: KeptItem): boolean {
  const { low, high } = model.manifest.data;
  const inRange = rating === undefined || (Math.fround(rating) >= low && Math.fround(rating) <= high);
  const other = model.recommender.titles.has(item) && title !== item && model.item(item).title !== title;
  return inRange && model.has(item) && !other;
}
