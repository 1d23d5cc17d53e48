import { useEffect, useRef } from 'preact/hooks';
import { readingChoices } from '../../train/recipe/reading-choices.ts';
import type { Choice } from '../../util/choices.ts';
import { capital } from '../../util/format.ts';
import type { UnderstandOptions } from '../../web.ts';
import { labelOf } from '../messages.ts';
import { ChoiceField, type Option } from './choice-field.tsx';
import { parsed } from './choices.ts';

interface Props {
  readonly reading: UnderstandOptions;
  /** Whether the file cannot be read as it is. */
  readonly failed: boolean;
  onChange(reading: UnderstandOptions): void;
}

/** How to read the file, where that is not found out, or found out wrongly. */
export function ReadingFields({ reading, failed, onChange }: Props) {
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (failed && details.current) details.current.open = true;
  }, [failed]);
  return (
    <details class="settings" ref={details}>
      <summary>How to read the file</summary>
      <div class="fields">
        {Object.entries<Choice>(readingChoices).map(([name, choice]) => (
          <ChoiceField
            key={name}
            label={labelOf(name)}
            note={noteOf(choice)}
            options={optionsOf(choice)}
            text=""
            read={(text) => parsed(text === '""' ? '' : text || undefined, choice.kind)}
            onChange={(value) => onChange({ ...reading, [name]: value })}
          />
        ))}
      </div>
    </details>
  );
}

const noteOf = ({ help, otherwise }: Choice): string =>
  capital(otherwise === undefined ? help : `${help}. Automatic: ${otherwise}`);

/** The options of a field that is not a text. A choice without a text for "no" is not made unless it is. */
function optionsOf({ kind, no }: Choice): readonly Option[] | undefined {
  if (kind.names) return [['', 'Automatic'], ...kind.names.map((name) => [name, capital(name)] as const)];
  if (kind.placeholder !== undefined) return undefined;
  const yes = ['true', 'Yes'] as const;
  return no ? [['', 'Automatic'], yes, ['false', 'No']] : [['', 'No'], yes];
}
