import { type ModelName, modelNames, models } from '../../../graphs/models/index.ts';
import { choicesFor } from '../../train/recipe/choices.ts';
import { capital } from '../../util/format.ts';
import { labelOf } from '../messages.ts';
import type { Kind } from '../models/words.ts';
import { ChoiceField } from './choice-field.tsx';
import { type Choices, choiceOf, type Field, fieldsFor, valueIn } from './choices.ts';

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

/** The help of a choice, and which of the chosen models it is for, if it is not for all. */
function noteOf(name: Field, help: string, chosen: readonly ModelName[]): string {
  const having = chosen.filter((model) => choicesFor(model)[name]);
  return having.length < chosen.length
    ? `${having.map((model) => models[model].title).join(', ')}: ${help}`
    : capital(help);
}

function RecipeField({ name, choices, onChange }: Props & { readonly name: Field }) {
  const { help, default: standard, kind } = choiceOf(name);
  return (
    <ChoiceField
      label={labelOf(name)}
      note={noteOf(name, help, choices.models)}
      options={kind.names?.map((one) => [one, capital(one)])}
      text={String(choices.recipe[name] ?? standard ?? '')}
      inputMode="numeric"
      read={(text) => valueIn(text, name, choices.models)}
      onChange={(value) => onChange({ ...choices, recipe: { ...choices.recipe, [name]: value } })}
    />
  );
}
