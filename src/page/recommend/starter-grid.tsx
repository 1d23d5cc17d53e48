import { useState } from 'preact/hooks';
import { Genre } from '../genre.tsx';
import type { PageModel } from '../models/page-model.ts';
import type { Scale } from '../models/scale.ts';
import { ItemName } from './item-name.tsx';
import { RatingInput } from './rating-input.tsx';
import type { OwnRatings } from './use-ratings.ts';

interface Props {
  readonly model: PageModel;
  readonly scale: Scale;
  readonly ratings: OwnRatings;
}

const AT_ONCE = 12;
const PAGES = 10;

/** Well-known titles, so that nobody needs to think of one. */
export function StarterGrid({ model, scale, ratings }: Props) {
  const [page, setPage] = useState(0);
  const pages = Math.min(PAGES, Math.ceil(model.items.length / AT_ONCE));
  const shown = model.items.slice(page * AT_ONCE, (page + 1) * AT_ONCE);
  return (
    <section aria-labelledby="starter-heading" class="starter">
      <div class="section-head">
        <h2 id="starter-heading">{model.items[0]?.ratings ? 'Well-known titles' : 'Some titles'}</h2>
        {pages > 1 && (
          <button type="button" class="quiet" onClick={() => setPage((page + 1) % pages)}>
            Show others
          </button>
        )}
      </div>
      <ul class="cards">
        {shown.map((item) => (
          <li key={item.id} class="title-card">
            <p class="card-title">
              <ItemName item={item} />
            </p>
            <Genre item={item} />
            <RatingInput
              item={item}
              scale={scale}
              value={ratings.of(item.id)}
              onRate={(rating) => ratings.rate(item.id, rating)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
