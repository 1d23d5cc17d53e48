import MiniSearch from 'minisearch';
import type { PageItem, PageModel } from '../models/page-model.ts';

/** Titles that match a text, the best first. */
export type FindTitles = (text: string) => PageItem[];

const indices = new WeakMap<PageModel, FindTitles>();

/** The search index of a model's titles, built on first use. */
export function titleIndex(model: PageModel): FindTitles {
  const known = indices.get(model);
  if (known) return known;
  const search = new MiniSearch<PageItem>({
    fields: ['title'],
    // "Amélie" is found as "amelie".
    processTerm: (term) => term.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase(),
  });
  search.addAll(model.items);
  const find: FindTitles = (text) =>
    search
      .search(text, {
        prefix: true,
        fuzzy: (term) => (term.length > 3 ? 0.2 : false),
        combineWith: 'AND',
        // Of titles that match equally well, the best known comes first.
        boostDocument: (id) => 1 + Math.log1p(model.item(id as string).count),
      })
      .slice(0, 8)
      .map(({ id }) => model.item(id as string));
  indices.set(model, find);
  return find;
}
