import type { PageItem } from './models/page-model.ts';

/** An item's first two genres; nothing where none is known. */
export function Genre({ item: { genres } }: { readonly item: PageItem }) {
  return genres.length === 0 ? null : <p class="genre">{genres.slice(0, 2).join(' · ')}</p>;
}
