import { plural } from '../../util/format.ts';
import type { PageItem } from '../models/page-model.ts';
import { ItemName } from '../parts.tsx';
import type { RatingProps } from './use-ratings.ts';
import type { Recommendation } from './use-recommendations.ts';

interface Props extends Pick<RatingProps, 'model' | 'ratings'> {
  readonly recommended: readonly Recommendation[];
}

const SHOWN = 10;

/** The most rated titles, which are the same for all visitors, to compare the recommendations with. */
export function PopularList({ model, ratings, recommended }: Props) {
  if (!model.items[0]?.ratings) return null;
  const popular = model.items.filter(({ id }) => ratings.of(id) === undefined).slice(0, SHOWN);
  const mine = new Set(recommended.map(({ item }) => item));
  const isMine = ({ id }: PageItem): boolean => mine.has(id);
  const shared = popular.filter(isMine).length;
  return (
    <section aria-labelledby="popular-heading" class="popular">
      <h2 id="popular-heading">Popular with everyone</h2>
      <p class="note">
        {ratings.list.length === 0
          ? 'The model knows nothing about you yet. These titles have the most ratings.'
          : `The same for all visitors: what you have not rated of the titles with the most ratings. ${mine.size > 0 ? sharedText(shared, popular.length) : ''}`}
      </p>
      <ol class="popular-rows" aria-labelledby="popular-heading">
        {popular.map((item) => (
          <li key={item.id}>
            <span>
              <ItemName item={item} />
              {isMine(item) && <span class="badge">yours too</span>}
            </span>
            <span class="note">{plural(item.ratings, 'rating')}</span>
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
