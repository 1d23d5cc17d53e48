import { plural } from '../../util/format.ts';
import { ENDS, furthest, type ItemMap } from '../../util/item-map.ts';
import type { PageItem } from '../models/page-model.ts';
import { ItemName } from '../parts.tsx';

const MOST = 5;

export function EndsLists({ map, least }: { readonly map: ItemMap<PageItem>; readonly least: number }) {
  const known = map.points.filter(({ item }) => item.ratings >= least);
  return (
    <section aria-labelledby="ends-heading">
      <h2 id="ends-heading">At the ends of the map</h2>
      <p class="lead">
        Nobody named these directions; the model found them. People who like one title of a list tend to like
        the others, and tend not to like those at the opposite end. Only titles with at least{' '}
        {plural(least, 'rating')} are listed.
      </p>
      <div class="ends">
        {ENDS.map((end) => (
          <div key={end.name} class="end">
            <h3>
              <span aria-hidden="true">{end.arrow}</span> {end.name}
            </h3>
            <ol>
              {furthest(known, end, MOST).map((item) => (
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
