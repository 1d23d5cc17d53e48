import { builtIn, type ModelName, models } from '../../../graphs/models/index.ts';
import type { DataKind, ModelDefinition, Objective } from '../../../graphs/models/model.ts';
import { option, UserError } from '../../errors.ts';
import { type Choices, type Chosen, checked } from '../../util/choices.ts';
import { type Expected, object } from '../../util/options.ts';
import { modelChoices, recipeChoices, trainingChoices } from './choices.ts';

type BuiltIns = (typeof models)[ModelName];
type ConfigOf<Model> = Model extends { readonly choices: infer Own extends Parameters<typeof checked>[0] }
  ? Chosen<Own>
  : never;
type Keys<Union> = Union extends unknown ? keyof Union : never;
type ValueIn<Union, Key> = Union extends unknown ? (Key extends keyof Union ? Union[Key] : never) : never;

/** The hyperparameters of the built-in models. */
export type ModelConfig = {
  readonly [Key in Keys<ConfigOf<BuiltIns>>]?: ValueIn<ConfigOf<BuiltIns>, Key> | undefined;
};

/** A model and its training, as plain JSON. Everything has a default; `cofactor train --help` describes each choice. */
export type Recipe = Chosen<typeof trainingChoices> & ModelConfig;

/** A recipe in a program. Its model may also be a model of your own, as a `ModelDefinition`. */
export type ProgramRecipe = Omit<Recipe, 'model'> & {
  readonly model?: ModelName | ModelDefinition | undefined;
};

/** For an argument that is a recipe. */
export const someRecipe: Expected = {
  fits: object.fits,
  give: "an object, such as { model: 'mlp' } or { model: definition }",
};

/** The choices of a recipe's training, without its model. */
export type TrainingChoices = Omit<Chosen<typeof trainingChoices>, 'model'>;

/** A recipe that was checked without the data. */
export interface CheckedRecipe {
  /** What to train, in this order. */
  readonly objectives: readonly Objective[];
  /** The model with the hyperparameters that are for an objective. */
  definition(objective: Objective, factors?: number): ModelDefinition;
  readonly chosen: TrainingChoices;
}

/** What is trained, in this order. @throws UserError if interactions are to predict ratings */
function objectivesOf(
  objective: TrainingChoices['objective'],
  kind: DataKind | undefined,
): readonly Objective[] {
  if (kind === 'interactions' && (objective === 'both' || objective === 'rating'))
    throw new UserError(
      'argument',
      `interactions have no ratings to predict; leave out ${option(`objective: '${objective}'`)}`,
    );
  if (objective === 'rating' || objective === 'ranking') return [objective];
  return kind === 'interactions' ? ['ranking'] : ['rating', 'ranking'];
}

/**
 * Checks a recipe, without the data but for their kind.
 *
 * @param kind what is trained on, if it is known: not every recipe fits both
 * @throws UserError for the first invalid choice: what it is, and what to give
 */
export function checkRecipe({ model: named, ...choices }: ProgramRecipe, kind?: DataKind): CheckedRecipe {
  const { model = trainingChoices.model.default, ...all } = checked(recipeChoices, {
    ...choices,
    ...(typeof named !== 'function' && { model: named }),
  }) as Recipe;
  const [config, chosen]: Record<string, unknown>[] = [{}, {}];
  for (const [name, value] of Object.entries(all))
    (Object.hasOwn(modelChoices, name) ? config : chosen)[name] = value;
  const objectives = objectivesOf((chosen as TrainingChoices).objective, kind);
  if (kind === 'ratings' && (chosen as TrainingChoices).weights !== undefined)
    throw new UserError(
      'argument',
      `${option('weights')} are for interactions, and these are ratings; leave them out`,
    );
  for (const name of Object.keys(all)) {
    const other = recipeChoices[name].objective;
    if (other && !objectives.includes(other))
      throw new UserError(
        'argument',
        `${option(name)} is for the objective ${other}, not for ${objectives[0]}; leave it out`,
      );
  }
  if (typeof named === 'function') {
    const [first] = [...Object.keys(config), ...('rankingFactors' in chosen ? ['rankingFactors'] : [])];
    if (first !== undefined)
      throw new UserError(
        'argument',
        `${option(first)} is for built-in models; give it to the model's own definition`,
      );
    return { objectives, definition: () => named, chosen };
  }
  const own: Choices = models[model].choices;
  for (const name of Object.keys(config)) {
    if (Object.hasOwn(own, name)) continue;
    const others = Object.keys(models).filter((other) => builtIn(other)?.choices[name]);
    throw new UserError(
      'argument',
      `${option(name)} is for the model ${others.join(', ')}, not for ${model}; leave it out`,
    );
  }
  const configFor = (objective: Objective) =>
    Object.fromEntries(
      Object.entries(config).filter(([name]) => (own[name].objective ?? objective) === objective),
    );
  // Also checks the configuration.
  for (const objective of objectives) models[model].define(configFor(objective));
  return {
    objectives,
    definition: (objective, factors) =>
      models[model].define({ ...configFor(objective), ...(factors !== undefined && { factors }) }),
    chosen,
  };
}
