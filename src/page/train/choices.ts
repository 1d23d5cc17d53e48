import * as v from 'valibot';
import { isSolved, type ModelName, modelNames } from '../../../graphs/models/index.ts';
import { choicesFor, trainingChoices } from '../../train/recipe/choices.ts';
import type { Choice } from '../../util/choices.ts';
import type { Progress, Recipe } from '../../web.ts';
import type { Kind } from '../models/words.ts';

export interface Choices {
  readonly models: readonly ModelName[];
  /** The recipe, without choices that have their defaults. */
  readonly recipe: Recipe;
  /** Fraction of the data to hold out; 0 for none. */
  readonly heldOut: number;
  /** Names of columns that are not found by their usual names. */
  readonly columns: Readonly<Partial<Record<ColumnRole, string>>>;
}

/** Columns of a file, by the name of the option, in the words of the page. */
export const COLUMNS = {
  userColumn: 'People',
  itemColumn: 'Items',
  ratingColumn: 'Scores',
  countColumn: 'Counts',
} as const;

export type ColumnRole = keyof typeof COLUMNS;

export const DEFAULTS: Choices = {
  models: [trainingChoices.model.default],
  recipe: {},
  heldOut: 0.2,
  columns: {},
};

/** The name of a choice. */
export type Field = keyof Recipe;

/** Interactions have one objective. */
export const fieldsFor = (chosen: readonly ModelName[], kind: Kind): Field[] =>
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

/**
 * Parses the text of a field.
 *
 * @returns the value, or a message that says what to give
 */
export function valueIn(
  text: string,
  name: Field,
  chosen: readonly ModelName[],
): { readonly value: unknown } | { readonly message: string } {
  if (text.trim() === '') return { value: undefined };
  const found = chosen.flatMap((model) => {
    const kind = choicesFor(model)[name]?.kind;
    return kind ? [v.safeParse(kind.schema, kind.parse(text))] : [];
  });
  const wrong = found.find(({ success }) => !success);
  return wrong?.issues ? { message: wrong.issues[0].message } : { value: found[0].output };
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
  kind: Kind,
): Progress['objective'][] {
  const { objective = trainingChoices.objective.default } = recipe;
  if (kind === 'interactions' || isSolved(model)) return ['ranking'];
  return objective === 'rating' || objective === 'ranking' ? [objective] : ['rating', 'ranking'];
}
