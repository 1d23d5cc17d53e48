import { useState } from 'preact/hooks';
import { CardContent } from './own-input.tsx';
import type { OwnProps } from './use-own-items.ts';

const AT_ONCE = 12;
const PAGES = 10;

/** Well-known items to begin with, so that visitors need not think of one. */
export function StarterGrid({ model, scale, own }: OwnProps) {
  const { items } = model.words;
  const [page, setPage] = useState(0);
  const pages = Math.min(PAGES, Math.ceil(model.items.length / AT_ONCE));
  const shown = model.items.slice(page * AT_ONCE, (page + 1) * AT_ONCE);
  return (
    <section aria-labelledby="starter-heading" class="starter">
      <div class="section-head">
        <h2 id="starter-heading">{model.items[0]?.count ? `Well-known ${items}` : `Some ${items}`}</h2>
        {pages > 1 && (
          <button type="button" class="quiet" onClick={() => setPage((page + 1) % pages)}>
            Show others
          </button>
        )}
      </div>
      {own.kind === 'ratings' && scale.halves && (
        <p class="note">Press a star, or its left half for half a star.</p>
      )}
      <ul class="cards">
        {shown.map((item) => (
          <li key={item.id} class="title-card">
            <CardContent {...{ item, scale, own }} />
          </li>
        ))}
      </ul>
    </section>
  );
}
