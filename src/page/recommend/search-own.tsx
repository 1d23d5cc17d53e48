import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageItem } from '../models/page-model.ts';
import { CardContent } from './own-input.tsx';
import { TitleSearch } from './title-search.tsx';
import type { OwnProps } from './use-own-items.ts';

/** Finds an item, to say what the visitor thinks of it, or that they have it. */
export function SearchOwn({ model, scale, own }: OwnProps) {
  const [chosen, setChosen] = useState<PageItem>();
  const card = useRef<HTMLDivElement>(null);

  useEffect(() => {
    card.current?.querySelector<HTMLElement>('input:checked, input, button')?.focus();
  }, [chosen]);

  const noteOf = ({ id }: PageItem): string | undefined => {
    const mine = own.of(id);
    return mine && (mine.rating === undefined ? 'you have it' : `you rated it ${mine.rating}`);
  };

  return (
    <div>
      <TitleSearch
        {...{ model, noteOf }}
        label={`Search ${model.words.items}`}
        placeholder={model.words.searchFor}
        onChoose={setChosen}
      />
      {chosen && (
        <div class="title-card chosen" ref={card}>
          <CardContent item={chosen} {...{ scale, own }} />
        </div>
      )}
    </div>
  );
}
