import { plural } from '../../util/format.ts';
import { CrossButton, ItemName } from '../parts.tsx';
import { RatingInput } from './rating-input.tsx';
import type { RatingProps } from './use-ratings.ts';

/** Moves the focus to a heading after a rating, and with it the focused button, was removed. */
function focusAfterwards(anyLeft: boolean): void {
  document.getElementById(anyLeft ? 'rated-heading' : 'recommended-heading')?.focus();
}

export function RatedList({ model, scale, ratings }: RatingProps) {
  const remove = (item: string): void => {
    ratings.rate(item, undefined);
    focusAfterwards(ratings.list.length > 1);
  };
  const clear = (): void => {
    ratings.clear();
    focusAfterwards(false);
  };
  return (
    <section aria-labelledby="rated-heading" class="rated" hidden={ratings.list.length + ratings.aside === 0}>
      <div class="section-head">
        <h2 id="rated-heading" tabIndex={-1}>
          Your ratings <span class="badge">{ratings.list.length}</span>
        </h2>
        {ratings.list.length > 0 && (
          <button type="button" class="quiet" onClick={clear}>
            Remove all
          </button>
        )}
      </div>
      {ratings.aside > 0 && (
        <p class="note">
          {plural(ratings.aside, 'rating')} not used: this model does not know{' '}
          {ratings.aside === 1 ? 'the title' : 'the titles'}.
        </p>
      )}
      <ul class="rows" aria-labelledby="rated-heading">
        {ratings.list.map(({ item: id }) => {
          const item = model.item(id);
          const onRemove = () => remove(id);
          return (
            <li key={id} class="rated-row">
              <ItemName item={item} />
              <RatingInput {...{ item, scale, ratings, onRemove }} />
              <CrossButton label={`Remove your rating of ${item.title}`} onClick={onRemove} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
