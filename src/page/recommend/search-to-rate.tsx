import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageItem } from '../models/page-model.ts';
import { CardContent } from './rating-input.tsx';
import { TitleSearch } from './title-search.tsx';
import type { RatingProps } from './use-ratings.ts';

export function SearchToRate({ model, scale, ratings }: RatingProps) {
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
          <CardContent item={chosen} {...{ scale, ratings }} />
        </div>
      )}
    </div>
  );
}
