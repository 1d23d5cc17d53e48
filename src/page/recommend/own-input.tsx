import { Genre, Icon, ItemName } from '../parts.tsx';
import { type InputProps, RatingInput } from './rating-input.tsx';

const TICK = 'm3 8.5 3.5 3.5L13 5';

/** A button that is pressed if the visitor has the item. */
function HaveToggle({ item: { id, title }, own }: InputProps) {
  const has = own.of(id) !== undefined;
  return (
    <button
      type="button"
      class="have"
      aria-pressed={has}
      aria-label={`I have it: ${title}`}
      onClick={() => (has ? own.remove(id) : own.add(id))}
    >
      {has && <Icon path={TICK} />}I have it
    </button>
  );
}

/** Asks for a rating or, for a model of interactions, whether the visitor has the item. */
export const OwnInput = (props: InputProps) =>
  props.own.kind === 'ratings' ? <RatingInput {...props} /> : <HaveToggle {...props} />;

export const CardContent = (props: InputProps) => (
  <>
    <p class="card-title">
      <ItemName item={props.item} />
    </p>
    <Genre item={props.item} />
    <OwnInput {...props} />
  </>
);
