import * as v from 'valibot';
import { isSolved, type ModelName, modelNames } from '../../../graphs/models/index.ts';
import { kindFor } from '../../data/read/meaning.ts';
import { choicesFor, trainingChoices } from '../../train/recipe/choices.ts';
import type { Choice, Kind } from '../../util/choices.ts';
import type { Progress, Recipe } from '../../web.ts';
import type { Kind as DataKind } from '../models/words.ts';

export interface Choices {
  readonly models: readonly ModelName[];
  /** The recipe, without choices that have their defaults. */
  readonly recipe: Recipe;
  /** Fraction of the data to hold out; 0 for none. */
  readonly heldOut: number;
}

export const DEFAULTS: Choices = {
  models: [trainingChoices.model.default],
  recipe: {},
  heldOut: 0.1,
};

/** The name of a choice. */
export type Field = keyof Recipe;

/** Interactions have one objective. */
export const fieldsFor = (chosen: readonly ModelName[], kind: DataKind): Field[] =>
  Object.entries<Choice>(Object.assign({}, ...chosen.map(choicesFor)))
    .filter(([name]) => name !== 'objective' || (kind === 'ratings' && !chosen.every(isSolved)))
    .flatMap(([name, { field }]) => (field ? [{ name: name as Field, field }] : []))
    .sort((one, other) => one.field - other.field)
    .map(({ name }) => name);

/** The choice of a field, from a model that has it. */
export function choiceOf(name: Field): Choice {
  const model = modelNames.find((model) => choicesFor(model)[name]) as ModelName;
  return choicesFor(model)[name];
}

/** What the text of a field says: a value, or a message that says what to give. */
export type Read = { readonly value: unknown } | { readonly message: string };

/** Parses the text of a field; undefined is no value. */
export function parsed(text: string | undefined, kind: Kind<unknown>): Read {
  if (text === undefined) return { value: undefined };
  const { success, issues, output } = v.safeParse(kind.schema, kind.parse(text));
  return success ? { value: output } : { message: issues[0].message };
}

/** Parses the text of a field of the recipe. It must fit all models that have it. */
export function valueIn(text: string, name: Field, chosen: readonly ModelName[]): Read {
  const kinds = chosen.flatMap((model) => choicesFor(model)[name]?.kind ?? []);
  const found = kinds.map((kind) => parsed(text.trim() === '' ? undefined : text, kind));
  return found.find((one) => 'message' in one) ?? found[0];
}

export const recipeFor = (model: ModelName, { recipe }: Choices): Recipe => ({
  model,
  ...Object.fromEntries(
    Object.entries(recipe).filter(
      ([name]) => choicesFor(model)[name] && !(name === 'objective' && isSolved(model)),
    ),
  ),
});

/** What a model learns from data of a kind, in the order of training. */
export function objectivesOf(
  model: ModelName,
  { recipe }: Pick<Choices, 'recipe'>,
  kind: DataKind,
): Progress['objective'][] {
  const { objective = trainingChoices.objective.default } = recipe;
  if (kind === 'interactions' || isSolved(model)) return ['ranking'];
  return objective === 'rating' || objective === 'ranking' ? [objective] : ['rating', 'ranking'];
}

/** What the rows must be for some models to learn what they are to. */
export const kindOf = (choices: Choices): DataKind | undefined =>
  choices.models.map((model) => kindFor(recipeFor(model, choices).objective)).find(Boolean);
