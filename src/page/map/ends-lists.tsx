import { ENDS, furthest, headingOf, type ItemMap, MAP_TEXTS } from '../../util/item-map.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { ItemName } from '../parts.tsx';

const MOST = 5;

interface Props {
  readonly model: PageModel;
  readonly map: ItemMap<PageItem>;
}

export function EndsLists({ model, map }: Props) {
  const { words, enoughCount } = model;
  return (
    <section aria-labelledby="ends-heading">
      <h2 id="ends-heading">{MAP_TEXTS.heading}</h2>
      <p class="lead">
        {MAP_TEXTS.why} {words.ends} {words.listed(enoughCount)}
      </p>
      <div class="ends">
        {ENDS.map((end) => (
          <div key={end.name} class="end">
            <h3>
              <span aria-hidden="true">{end.arrow}</span> {headingOf(end, map)}
            </h3>
            <ol>
              {furthest(map, end, MOST).map((item) => (
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
