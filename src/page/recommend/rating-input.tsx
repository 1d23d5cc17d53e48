import { useId, useState } from 'preact/hooks';
import type { PageItem } from '../models/page-model.ts';
import { Genre, ItemName } from '../parts.tsx';
import type { RatingProps } from './use-ratings.ts';

interface Props extends Pick<RatingProps, 'scale' | 'ratings'> {
  readonly item: PageItem;
  /** Removes the rating. Default: removes it from `ratings`. */
  onRemove?(): void;
}

/** Radio buttons that look like stars, or like numbers if the scale does not end at 5. */
export function RatingInput({ item, scale, ratings, onRemove }: Props) {
  const name = useId();
  const value = ratings.of(item.id);
  const rate = (rating: number): void => ratings.rate(item.id, rating);
  const remove = onRemove ?? (() => ratings.rate(item.id, undefined));
  const [hovered, setHovered] = useState<number>();
  const filled = hovered ?? value ?? 0;

  const onKeyDown = (event: KeyboardEvent): void => {
    const typed = event.key === '0' ? 10 : Number(event.key);
    const isDigit = /^\d$/.test(event.key);
    if (isDigit && scale.steps.includes(typed)) rate(typed);
    else if (event.key === 'Delete' || event.key === 'Backspace') remove();
    else return;
    event.preventDefault();
  };

  return (
    <div
      role="radiogroup"
      aria-label={`Your rating of ${item.title}`}
      class={scale.stars ? 'stars' : 'numbers'}
      style={{ '--filled': `${(filled / scale.high) * 100}%`, '--steps': scale.steps.length }}
      data-rated={value !== undefined}
      onKeyDown={onKeyDown}
      onPointerLeave={() => setHovered(undefined)}
    >
      {scale.steps.map((step) => (
        <label
          key={step}
          data-chosen={step === value}
          onPointerEnter={(event) => event.pointerType === 'mouse' && setHovered(step)}
        >
          <input
            type="radio"
            name={name}
            aria-label={scale.stars ? stars(step) : String(step)}
            checked={step === value}
            onChange={() => rate(step)}
          />
          {!scale.stars && <span aria-hidden="true">{step}</span>}
        </label>
      ))}
    </div>
  );
}

export const CardContent = (props: Props) => (
  <>
    <p class="card-title">
      <ItemName item={props.item} />
    </p>
    <Genre item={props.item} />
    <RatingInput {...props} />
  </>
);

const stars = (step: number): string => `${step} ${step === 1 ? 'star' : 'stars'}`;
