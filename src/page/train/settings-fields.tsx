import { useId } from 'preact/hooks';
import type { Choices } from './choices.ts';

interface Props {
  readonly choices: Choices;
  onChange(choices: Choices): void;
}

const MODELS = [
  {
    value: 'dot-bias',
    name: 'Factors and biases',
    about:
      'A few numbers for each person and each title; a match of both is a high rating. Small, fast, hard to beat.',
  },
  {
    value: 'mlp',
    name: 'Neural network',
    about: 'The same numbers, put together by a small network. Slower.',
  },
  {
    value: 'both',
    name: 'Both, side by side',
    about: 'One after the other, on the same ratings, to compare.',
  },
] as const;

export function ModelChoice({ choices, onChange }: Props) {
  return (
    <fieldset class="model-choice">
      <legend>Model</legend>
      {MODELS.map(({ value, name, about }) => (
        <label key={value} data-chosen={choices.models === value}>
          <input
            type="radio"
            name="model"
            aria-labelledby={`model-${value}`}
            aria-describedby={`about-${value}`}
            checked={choices.models === value}
            onChange={() => onChange({ ...choices, models: value })}
          />
          <span>
            <b id={`model-${value}`}>{name}</b>
            <span class="note" id={`about-${value}`}>
              {about}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function Settings({ choices, onChange }: Props) {
  const field = (name: 'epochs' | 'factors' | 'seed') => ({
    value: choices[name],
    onChange: (value: number) => onChange({ ...choices, [name]: value }),
  });
  return (
    <details class="settings">
      <summary>Settings</summary>
      <div class="fields">
        <NumberField
          label="Epochs"
          hint="How often it sees all ratings"
          least={1}
          most={200}
          {...field('epochs')}
        />
        <NumberField
          label="Factors"
          hint="Numbers learned for each person and title"
          least={1}
          most={1000}
          {...field('factors')}
        />
        {choices.models !== 'dot-bias' && (
          <label class="field">
            <span>Hidden layers</span>
            <input
              type="text"
              inputMode="numeric"
              value={choices.hidden}
              pattern="\s*\d+(\s*,\s*\d+)*\s*"
              onInput={({ currentTarget }) => onChange({ ...choices, hidden: currentTarget.value })}
            />
            <span class="note">Widths of the network’s layers, such as 100, 50</span>
          </label>
        )}
        <label class="field">
          <span>Held-out part</span>
          <input
            type="number"
            min={0}
            max={50}
            step={1}
            value={Math.round(choices.heldOut * 100)}
            onInput={({ currentTarget: { valueAsNumber } }) =>
              valueAsNumber >= 0 &&
              valueAsNumber < 100 &&
              onChange({ ...choices, heldOut: valueAsNumber / 100 })
            }
          />
          <span class="note">Percent of the ratings kept aside, to measure errors on</span>
        </label>
        <NumberField
          label="Seed"
          hint="The same seed gives the same model"
          least={0}
          most={2 ** 31}
          {...field('seed')}
        />
      </div>
    </details>
  );
}

interface NumberProps {
  readonly label: string;
  readonly hint: string;
  readonly least: number;
  readonly most: number;
  readonly value: number;
  onChange(value: number): void;
}

function NumberField({ label, hint, least, most, value, onChange }: NumberProps) {
  const id = useId();
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      <input
        id={id}
        type="number"
        min={least}
        max={most}
        step={1}
        value={value}
        onInput={({ currentTarget: { valueAsNumber } }) =>
          Number.isSafeInteger(valueAsNumber) &&
          valueAsNumber >= least &&
          onChange(Math.min(most, valueAsNumber))
        }
      />
      <span class="note">{hint}</span>
    </label>
  );
}
