import { useId, useState } from 'preact/hooks';
import type { PageItem } from '../models/page-model.ts';
import type { OwnProps } from './use-own-items.ts';

export interface InputProps extends Pick<OwnProps, 'scale' | 'own'> {
  readonly item: PageItem;
  /** Removes the rating. Default: removes it from `own`. */
  onRemove?(): void;
}

/** Radio buttons that look like stars, or like numbers if the scale does not end at 5. */
export function RatingInput({ item, scale, own, onRemove }: InputProps) {
  const name = useId();
  const value = own.of(item.id)?.rating;
  const rate = (rating: number): void => own.add(item.id, rating);
  const remove = onRemove ?? (() => own.remove(item.id));
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

  const group = (
    <div
      role="radiogroup"
      aria-label={`Your rating of ${item.title}`}
      class={scale.stars ? 'stars' : 'numbers'}
      style={{ '--filled': `${(filled / scale.high) * 100}%`, '--steps': scale.steps.length }}
      data-rated={value !== undefined}
      data-halves={scale.halves}
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
  if (!scale.stars) return group;
  return (
    <div class="stars-and-number">
      {group}
      <span aria-hidden="true">{hovered ?? value}</span>
    </div>
  );
}

const stars = (step: number): string => `${step} ${step === 1 ? 'star' : 'stars'}`;
