import { ENDS, furthest, type ItemMap } from '../../util/item-map.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { ItemName } from '../parts.tsx';

const MOST = 5;

interface Props {
  readonly model: PageModel;
  readonly map: ItemMap<PageItem>;
}

export function EndsLists({ model, map }: Props) {
  const { words, enoughCount } = model;
  const known = map.points.filter(({ item }) => item.count >= enoughCount);
  return (
    <section aria-labelledby="ends-heading">
      <h2 id="ends-heading">At the ends of the map</h2>
      <p class="lead">
        Nobody named these directions; the model found them. {words.ends} {words.listed(enoughCount)}
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
