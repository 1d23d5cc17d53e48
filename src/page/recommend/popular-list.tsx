import type { PageItem } from '../models/page-model.ts';
import { ItemName } from '../parts.tsx';
import type { OwnProps } from './use-own-items.ts';
import type { Recommendation } from './use-recommendations.ts';

interface Props extends Pick<OwnProps, 'model' | 'own'> {
  readonly recommended: readonly Recommendation[];
}

const SHOWN = 10;

/** The best-known items, which are the same for all visitors, to compare the recommendations with. */
export function PopularList({ model, own, recommended }: Props) {
  if (!model.items[0]?.count) return null;
  const { words } = model;
  const popular = model.items.filter(({ id }) => own.of(id) === undefined).slice(0, SHOWN);
  const mine = new Set(recommended.map(({ item }) => item));
  const isMine = ({ id }: PageItem): boolean => mine.has(id);
  const shared = popular.filter(isMine).length;
  return (
    <section aria-labelledby="popular-heading" class="popular">
      <h2 id="popular-heading">Popular with everyone</h2>
      <p class="note">
        {own.list.length === 0
          ? `The model knows nothing about you yet. ${words.popular}`
          : `The same for all visitors: ${words.popularLeft} ${mine.size > 0 ? sharedText(shared, popular.length) : ''}`}
      </p>
      <ol class="popular-rows" aria-labelledby="popular-heading">
        {popular.map((item) => (
          <li key={item.id}>
            <span>
              <ItemName item={item} />
              {isMine(item) && <span class="badge">yours too</span>}
            </span>
            <span class="note">{words.known(item.count)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

const sharedText = (shared: number, all: number): string =>
  shared === 0
    ? 'None of them is recommended to you.'
    : `${shared} of these ${all} ${shared === 1 ? 'is' : 'are'} also recommended to you.`;
