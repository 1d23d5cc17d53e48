import { useEffect, useRef } from 'preact/hooks';
import type { Similar } from '../../web.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { CrossButton, ItemName, Problem } from '../parts.tsx';
import { useAnswer } from '../use-answer.ts';
import { RatingInput } from './rating-input.tsx';
import type { RatingProps } from './use-ratings.ts';

interface Props extends RatingProps {
  readonly item: PageItem;
  onClose(): void;
}

const SHOWN = 8;
const ASKED = 100;

/** The items most similar to an item. Items with few ratings come last, because their factors are mostly noise. */
async function similarTo(model: PageModel, id: string): Promise<Similar[]> {
  const found = await model.recommender.similar(id, { k: ASKED });
  const least = model.enoughRatings / 5;
  const isKnown = ({ item }: Similar): boolean => model.item(item).ratings >= least;
  return [...found.filter(isKnown), ...found.filter((one) => !isKnown(one))].slice(0, SHOWN);
}

export function SimilarDialog({ model, scale, ratings, item, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const found = useAnswer(item, () => similarTo(model, item.id));
  const similar = found.state === 'here' ? found.value : [];

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it too
    <dialog
      ref={dialog}
      aria-labelledby="similar-heading"
      onClose={onClose}
      onClick={({ target, currentTarget }) => target === currentTarget && currentTarget.close()}
    >
      <div class="dialog-body">
        <div class="section-head">
          <h2 id="similar-heading">
            Like <ItemName item={item} />
          </h2>
          <CrossButton label="Close" onClick={() => dialog.current?.close()} />
        </div>
        <p class="note">
          The first line is the title itself. Below it are titles that people rate in a similar way.
        </p>
        {found.state === 'failed' && <Problem>{found.message}</Problem>}
        <ul class="rows similar-rows" aria-label={`Titles like ${item.title}`}>
          {[{ item: item.id }, ...similar].map((one) => (
            <li key={one.item} class="rated-row">
              <span>
                <ItemName item={model.item(one.item)} />
                {'similarity' in one && <span class="note"> {Math.round(one.similarity * 100)}% alike</span>}
              </span>
              <RatingInput item={model.item(one.item)} {...{ scale, ratings }} />
            </li>
          ))}
        </ul>
        {found.state === 'here' && similar.length === 0 && <p>This model finds no similar title.</p>}
      </div>
    </dialog>
  );
}
