import { useId, useState } from 'preact/hooks';
import { type ModelName, modelNames, models } from '../../../graphs/models/index.ts';
import { choicesFor } from '../../train/recipe/choices.ts';
import { capital, words } from '../../util/format.ts';
import type { Kind } from '../models/words.ts';
import {
  type Choices,
  COLUMNS,
  type ColumnRole,
  choiceOf,
  type Field,
  fieldsFor,
  valueIn,
} from './choices.ts';

interface Props {
  readonly choices: Choices;
  onChange(choices: Choices): void;
}

/** The options: one model, or all. */
const WAYS = [
  ...modelNames.map((name) => ({
    value: name as string,
    chosen: [name],
    name: models[name].title,
    about: models[name].about,
  })),
  {
    value: 'all',
    chosen: modelNames,
    name: modelNames.length === 2 ? 'Both, side by side' : 'All, side by side',
    about: 'One after the other, on the same data, to compare.',
  },
];

export function ModelChoice({ choices, onChange }: Props) {
  return (
    <fieldset class="model-choice">
      <legend>Model</legend>
      {WAYS.map(({ value, chosen, name, about }) => {
        const isChosen = choices.models.join() === chosen.join();
        return (
          <label key={value} data-chosen={isChosen}>
            <input
              type="radio"
              name="model"
              aria-labelledby={`model-${value}`}
              aria-describedby={`about-${value}`}
              checked={isChosen}
              onChange={() => onChange({ ...choices, models: chosen })}
            />
            <span>
              <b id={`model-${value}`}>{name}</b>
              <span class="note" id={`about-${value}`}>
                {about}
              </span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

export function Settings({ choices, kind, onChange }: Props & { readonly kind: Kind }) {
  return (
    <details class="settings">
      <summary>Settings</summary>
      <div class="fields">
        {fieldsFor(choices.models, kind).map((name) => (
          <RecipeField key={name} {...{ name, choices, onChange }} />
        ))}
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
          <span class="note">Percent of the data to hold out, to judge the model by</span>
        </label>
      </div>
    </details>
  );
}

/** The names of columns, for files whose columns have unusual names. */
export function ColumnNames({ choices, onChange }: Props) {
  return (
    <details class="settings">
      <summary>Columns</summary>
      <p class="note">Name the columns whose names in your file are unusual, or give their numbers from 1.</p>
      <div class="fields">
        {(Object.entries(COLUMNS) as [ColumnRole, string][]).map(([role, name]) => (
          <label key={role} class="field">
            <span>{name}</span>
            <input
              type="text"
              value={choices.columns[role] ?? ''}
              onInput={({ currentTarget: { value } }) => {
                const { [role]: _, ...others } = choices.columns;
                onChange({
                  ...choices,
                  columns: value.trim() === '' ? others : { ...others, [role]: value.trim() },
                });
              }}
            />
          </label>
        ))}
      </div>
    </details>
  );
}

/** The help of a choice, and which of the chosen models it is for, if it is not for all. */
function noteOf(name: Field, help: string, chosen: readonly ModelName[]): string {
  const having = chosen.filter((model) => choicesFor(model)[name]);
  return having.length < chosen.length
    ? `${having.map((model) => models[model].title).join(', ')}: ${help}`
    : capital(help);
}

function RecipeField({ name, choices, onChange }: Props & { readonly name: Field }) {
  const id = useId();
  const { help, default: standard, kind } = choiceOf(name);
  const [text, setText] = useState(String(choices.recipe[name] ?? standard ?? ''));
  if (kind.names)
    return (
      <label class="field" for={id}>
        <span>{capital(words(name))}</span>
        <select
          id={id}
          value={text}
          onChange={({ currentTarget: { value } }) => {
            setText(value);
            onChange({ ...choices, recipe: { ...choices.recipe, [name]: value } });
          }}
        >
          {kind.names.map((one) => (
            <option key={one} value={one}>
              {capital(one)}
            </option>
          ))}
        </select>
        <span class="note">{noteOf(name, help, choices.models)}</span>
      </label>
    );
  return (
    <label class="field" for={id}>
      <span>{capital(words(name))}</span>
      <input
        id={id}
        type="text"
        inputMode="numeric"
        value={text}
        onInput={({ currentTarget }) => {
          const read = valueIn(currentTarget.value, name, choices.models);
          setText(currentTarget.value);
          currentTarget.setCustomValidity('message' in read ? capital(read.message) : '');
          if ('value' in read) onChange({ ...choices, recipe: { ...choices.recipe, [name]: read.value } });
        }}
      />
      <span class="note">{noteOf(name, help, choices.models)}</span>
    </label>
  );
}
