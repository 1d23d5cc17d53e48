import { counted } from '../messages.ts';
import type { PageItem } from '../models/page-model.ts';
import { ItemName } from '../recommend/item-name.tsx';
import { ends, type ItemMap } from './item-map.ts';

const ENDS = [
  { end: 'left', name: 'At the left', arrow: '←' },
  { end: 'right', name: 'At the right', arrow: '→' },
  { end: 'top', name: 'At the top', arrow: '↑' },
  { end: 'bottom', name: 'At the bottom', arrow: '↓' },
] as const;

/** What pulls the ends of each axis. */
export function EndsLists({ map, least }: { readonly map: ItemMap; readonly least: number }) {
  const furthest: Readonly<Record<string, readonly PageItem[]>> = ends(map, least);
  return (
    <section aria-labelledby="ends-heading">
      <h2 id="ends-heading">What pulls each way</h2>
      <p class="lead">
        Nobody named these directions. The model found them because people who like one title of a list tend
        to like the others, and to care less for those at the opposite end. Only titles with at least{' '}
        {counted(least, 'rating')} are listed.
      </p>
      <div class="ends">
        {ENDS.map(({ end, name, arrow }) => (
          <div key={end} class="end">
            <h3>
              <span aria-hidden="true">{arrow}</span> {name}
            </h3>
            <ol>
              {furthest[end].map((item) => (
                <li key={item.id}>
                  <ItemName item={item} />
                </li>
              ))}
            </ol>
          </div>
        ))}
      </div>
    </section>
  );
}
