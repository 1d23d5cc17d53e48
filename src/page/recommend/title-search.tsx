import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { capital, plural } from '../../util/format.ts';
import type { PageItem, PageModel } from '../models/page-model.ts';
import { ItemName } from '../parts.tsx';
import { titleIndex } from './title-index.ts';

interface Props {
  readonly model: PageModel;
  readonly label: string;
  readonly placeholder: string;
  /** What the visitor has given before, such as a rating. */
  noteOf?(item: PageItem): string | undefined;
  onChoose(item: PageItem): void;
}

/** A combobox with a list box: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ */
export function TitleSearch({ model, label, placeholder, noteOf, onChoose }: Props) {
  const { words } = model;
  const id = useId();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => (text.trim() === '' ? [] : titleIndex(model)(text)), [model, text]);
  const shown = open && text.trim() !== '';

  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const choose = (item: PageItem): void => {
    setText('');
    setOpen(false);
    onChoose(item);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      setOpen(true);
      setActive((active + step + found.length + (active === -1 && step === -1 ? 1 : 0)) % found.length);
    } else if (event.key === 'Enter' && shown && found.length > 0) choose(found[Math.max(0, active)]);
    else if (event.key === 'Escape' && shown) setOpen(false);
    else if (event.key === 'Escape') setText('');
    else return;
    event.preventDefault();
  };

  return (
    <div class="search">
      <label class="hidden-label" for={`${id}-input`}>
        {label}
      </label>
      <svg class="search-icon" viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="8.5" cy="8.5" r="5.5" />
        <path d="m13 13 4.5 4.5" />
      </svg>
      <input
        id={`${id}-input`}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        placeholder={placeholder}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 && active < found.length ? `${id}-${active}` : undefined}
        value={text}
        onFocus={() => titleIndex(model)}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setActive(-1);
          setOpen(true);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      <div class="search-results" hidden={!shown}>
        <div
          id={`${id}-list`}
          role="listbox"
          aria-label={`${capital(words.items)} found`}
          ref={list}
          hidden={found.length === 0}
        >
          {found.map((item, at) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys go to the field, which keeps the focus
            // biome-ignore lint/a11y/useFocusableInteractive: the field points at it
            <div
              key={item.id}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === active}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => choose(item)}
            >
              <ItemName item={item} />
              <span class="note">{noteOf?.(item) ?? (item.count > 0 ? words.known(item.count) : '')}</span>
            </div>
          ))}
        </div>
        {found.length === 0 && (
          <p class="nothing">No {words.item} matches. Try fewer letters, or another word.</p>
        )}
      </div>
      <output class="hidden-label">{shown ? plural(found.length, words.item) : ''}</output>
    </div>
  );
}
