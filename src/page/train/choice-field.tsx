import { useId, useState } from 'preact/hooks';
import { capital } from '../../util/format.ts';
import type { Read } from './choices.ts';

/** An option of a field: the text of its value, and what it is called. */
export type Option = readonly [text: string, name: string];

interface Props {
  readonly label: string;
  readonly note: string;
  /** The options to choose from; undefined for a field of text. */
  readonly options: readonly Option[] | undefined;
  /** What the field has at first. */
  readonly text: string;
  readonly inputMode?: 'numeric';
  read(text: string): Read;
  /** Gets what was read, if it is valid. */
  onChange(value: unknown): void;
}

/** A field of the form, for one choice. */
export function ChoiceField({ label, note, options, text: first, inputMode, read, onChange }: Props) {
  const id = useId();
  const [text, setText] = useState(first);
  const change = (text: string): string => {
    const found = read(text);
    setText(text);
    if ('value' in found) onChange(found.value);
    return 'message' in found ? capital(found.message) : '';
  };
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      {options ? (
        <select id={id} value={text} onChange={({ currentTarget }) => change(currentTarget.value)}>
          {options.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type="text"
          inputMode={inputMode}
          value={text}
          onInput={({ currentTarget }) => currentTarget.setCustomValidity(change(currentTarget.value))}
        />
      )}
      <span class="note">{note}</span>
    </label>
  );
}
