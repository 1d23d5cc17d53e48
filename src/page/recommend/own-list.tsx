import { CrossButton, ItemName } from '../parts.tsx';
import { RatingInput } from './rating-input.tsx';
import type { OwnProps } from './use-own-items.ts';

/** Moves the focus to a heading after an item, and with it the focused button, was removed. */
function focusAfterwards(anyLeft: boolean): void {
  document.getElementById(anyLeft ? 'own-heading' : 'recommended-heading')?.focus();
}

/** What the visitor rated or has. */
export function OwnList({ model, scale, own }: OwnProps) {
  const { words } = model;
  const remove = (item: string): void => {
    own.remove(item);
    focusAfterwards(own.list.length > 1);
  };
  const clear = (): void => {
    own.clear();
    focusAfterwards(false);
  };
  return (
    <section aria-labelledby="own-heading" class="own" hidden={own.list.length + own.aside === 0}>
      <div class="section-head">
        <h2 id="own-heading" tabIndex={-1}>
          {words.own} <span class="badge">{own.list.length}</span>
        </h2>
        {own.list.length > 0 && (
          <button type="button" class="quiet" onClick={clear}>
            Remove all
          </button>
        )}
      </div>
      {own.aside > 0 && <p class="note">{words.aside(own.aside)}</p>}
      <ul class="rows" aria-labelledby="own-heading">
        {own.list.map(({ item: id }) => {
          const item = model.item(id);
          const onRemove = () => remove(id);
          return (
            <li key={id} class="own-row">
              <ItemName item={item} />
              {own.kind === 'ratings' && <RatingInput {...{ item, scale, own, onRemove }} />}
              <CrossButton label={words.remove(item.title)} onClick={onRemove} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
