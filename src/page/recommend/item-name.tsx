import type { PageItem } from '../models/page-model.ts';

/** A title, its year set back. */
export function ItemName({ item }: { readonly item: PageItem }) {
  return (
    <span class="item-name">
      {item.name}
      {item.year && <span class="year"> {item.year}</span>}
    </span>
  );
}
