import { useState } from 'preact/hooks';
import { CardContent } from './rating-input.tsx';
import type { RatingProps } from './use-ratings.ts';

const AT_ONCE = 12;
const PAGES = 10;

/** Well-known titles to rate, so that visitors need not think of one. */
export function StarterGrid({ model, scale, ratings }: RatingProps) {
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
            <CardContent {...{ item, scale, ratings }} />
          </li>
        ))}
      </ul>
    </section>
  );
}
