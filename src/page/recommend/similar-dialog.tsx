import { useEffect, useRef, useState } from 'preact/hooks';
import type { Similar } from '../../web.ts';
import { messageOf } from '../messages.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import type { Scale } from '../models/scale.ts';
import { ItemName } from './item-name.tsx';
import { RatingInput } from './rating-input.tsx';
import type { OwnRatings } from './use-ratings.ts';

interface Props {
  readonly model: PageModel;
  readonly scale: Scale;
  readonly ratings: OwnRatings;
  readonly item: PageItem;
  onClose(): void;
}

const SHOWN = 8;
const ASKED = 100;

/** Those most like an item; of items with hardly a rating it cannot be told, so they come last. */
async function similarTo(model: PageModel, id: string): Promise<Similar[]> {
  const [found] = await model.recommender.similar([id], { k: ASKED });
  const least = model.enoughRatings / 5;
  const isKnown = ({ item }: Similar): boolean => model.item(item).ratings >= least;
  return [...found.filter(isKnown), ...found.filter((one) => !isKnown(one))].slice(0, SHOWN);
}

/** What is most like an item, to be rated as well. */
export function SimilarDialog({ model, scale, ratings, item, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [found, setFound] = useState<readonly Similar[]>();
  const [error, setError] = useState<string>();

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  useEffect(() => {
    let current = true;
    similarTo(model, item.id).then(
      (similar) => current && setFound(similar),
      (error) => current && setError(messageOf(error)),
    );
    return () => {
      current = false;
    };
  }, [model, item]);

  const rows = [{ item: item.id }, ...(found ?? [])];
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
          <button type="button" class="icon" aria-label="Close" onClick={() => dialog.current?.close()}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="m4 4 8 8m0-8-8 8" />
            </svg>
          </button>
        </div>
        <p class="note">
          The first line is the title itself; below are those that people rate in the same way.
        </p>
        {error !== undefined && (
          <p class="notice error" role="alert">
            {error}
          </p>
        )}
        <ul class="rows similar-rows" aria-label={`Titles like ${item.title}`}>
          {rows.map((one) => (
            <li key={one.item} class="rated-row">
              <span>
                <ItemName item={model.item(one.item)} />
                {'similarity' in one && <span class="note"> {Math.round(one.similarity * 100)}% alike</span>}
              </span>
              <RatingInput
                item={model.item(one.item)}
                scale={scale}
                value={ratings.of(one.item)}
                onRate={(rating) => ratings.rate(one.item, rating)}
              />
            </li>
          ))}
        </ul>
        {found?.length === 0 && <p>This model finds nothing like it.</p>}
      </div>
    </dialog>
  );
}
