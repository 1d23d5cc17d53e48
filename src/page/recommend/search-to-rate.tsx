import { useEffect, useRef, useState } from 'preact/hooks';
import { Genre } from '../genre.tsx';
import type { PageItem, PageModel } from '../models/page-model.ts';
import type { Scale } from '../models/scale.ts';
import { ItemName } from './item-name.tsx';
import { RatingInput } from './rating-input.tsx';
import { TitleSearch } from './title-search.tsx';
import type { OwnRatings } from './use-ratings.ts';

interface Props {
  readonly model: PageModel;
  readonly scale: Scale;
  readonly ratings: OwnRatings;
}

/** Finds a title, and then asks for its rating. */
export function SearchToRate({ model, scale, ratings }: Props) {
  const [chosen, setChosen] = useState<PageItem>();
  const card = useRef<HTMLDivElement>(null);

  useEffect(() => {
    card.current?.querySelector<HTMLElement>('input:checked, input')?.focus();
  }, [chosen]);

  const noteOf = ({ id }: PageItem): string | undefined => {
    const rating = ratings.of(id);
    return rating === undefined ? undefined : `you rated it ${rating}`;
  };

  return (
    <div>
      <TitleSearch
        {...{ model, noteOf }}
        label="Search titles"
        placeholder="Find a title that you know"
        onChoose={setChosen}
      />
      {chosen && (
        <div class="title-card chosen" ref={card}>
          <p class="card-title">
            <ItemName item={chosen} />
          </p>
          <Genre item={chosen} />
          <RatingInput
            item={chosen}
            scale={scale}
            value={ratings.of(chosen.id)}
            onRate={(rating) => ratings.rate(chosen.id, rating)}
          />
        </div>
      )}
    </div>
  );
}
