import { useEffect, useRef } from 'preact/hooks';
import { capital, decimal } from '../../util/format.ts';
import type { Similar } from '../../web.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { CrossButton, ItemName, Problem } from '../parts.tsx';
import { useAnswer } from '../use-answer.ts';
import { OwnInput } from './own-input.tsx';
import type { OwnProps } from './use-own-items.ts';

interface Props extends OwnProps {
  readonly item: PageItem;
  onClose(): void;
}

const SHOWN = 8;
const ASKED = 100;

/** How close an item is: the cosine as a percentage, or the weight. */
const closeness = ({ byWeights }: PageModel, value: number): string =>
  byWeights ? `weight ${decimal(value, 3)}` : `${Math.round(value * 100)}% alike`;

/** The items most similar to an item. Items that few people know come last, because their factors are mostly noise. */
async function similarTo(model: PageModel, id: string): Promise<Similar[]> {
  const found = await model.recommender.similar(id, { k: ASKED });
  const least = model.enoughCount / 5;
  const isKnown = ({ item }: Similar): boolean => model.item(item).count >= least;
  return [...found.filter(isKnown), ...found.filter((one) => !isKnown(one))].slice(0, SHOWN);
}

export function SimilarDialog({ model, scale, own, item, onClose }: Props) {
  const { words } = model;
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
          The first line is the {words.item} itself. {model.byWeights ? words.together : words.alike}
        </p>
        {found.state === 'failed' && <Problem>{found.message}</Problem>}
        <ul class="rows similar-rows" aria-label={`${capital(words.items)} like ${item.title}`}>
          {[{ item: item.id }, ...similar].map((one) => (
            <li key={one.item} class="own-row">
              <span>
                <ItemName item={model.item(one.item)} />
                {'similarity' in one && <span class="note"> {closeness(model, one.similarity)}</span>}
              </span>
              <OwnInput item={model.item(one.item)} {...{ scale, own }} />
            </li>
          ))}
        </ul>
        {found.state === 'here' && similar.length === 0 && <p>This model finds no similar {words.item}.</p>}
      </div>
    </dialog>
  );
}
