import { isSolved, learned, type ModelName, modelNames, type models } from '../../../graphs/models/index.ts';
import type { DataKind, ModelDefinition, Objective } from '../../../graphs/models/model.ts';
import { option, UserError } from '../../errors.ts';
import { type Chosen, checked } from '../../util/choices.ts';
import { type Expected, object } from '../../util/options.ts';
import { choicesFor, modelChoices, recipeChoices, trainingChoices } from './choices.ts';

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
  /** The model with the hyperparameters that are for an objective. @throws UserError for a model in closed form */
  definition(objective: Objective, factors?: number): ModelDefinition;
  readonly chosen: TrainingChoices;
  /** The name and the hyperparameters of a built-in model in closed form; absent for one that is learned by gradients. */
  readonly solved?: { readonly name: ModelName; readonly config: ModelConfig };
}

const notLearned = (model: ModelName): UserError =>
  new UserError(
    'argument',
    `${model} is computed in closed form, and has no steps of learning; choose another ${option('model')}`,
  );

/** @throws UserError for a model that is computed in closed form */
export function checkLearned(recipe: ProgramRecipe): void {
  const { solved } = checkRecipe(recipe);
  if (solved) throw notLearned(solved.name);
}

/** What is trained, in this order. @throws UserError if interactions, or a model that only ranks, are to predict ratings */
function objectivesOf(
  objective: TrainingChoices['objective'],
  kind: DataKind | undefined,
  model: ModelName | undefined,
): readonly Objective[] {
  if (model && isSolved(model)) {
    if (objective === 'both' || objective === 'rating')
      throw new UserError(
        'argument',
        `${model} ranks, and predicts no ratings; leave out ${option(`objective: '${objective}'`)}, or choose another ${option('model')}`,
      );
    return ['ranking'];
  }
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
  const objectives = objectivesOf(
    (chosen as TrainingChoices).objective,
    kind,
    typeof named === 'function' ? undefined : model,
  );
  if (kind === 'ratings' && (chosen as TrainingChoices).weights !== undefined)
    throw new UserError(
      'argument',
      `${option('weights')} are for interactions, and these are ratings; leave them out`,
    );
  const asGiven = (name: string) =>
    option((all as Record<string, unknown>)[name] === false ? `${name}: false` : name);
  for (const name of Object.keys(all)) {
    const other = recipeChoices[name].objective;
    if (other && !objectives.includes(other))
      throw new UserError(
        'argument',
        `${asGiven(name)} is for the objective ${other}, not for ${objectives[0]}; leave it out`,
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
  const own = choicesFor(model);
  for (const name of Object.keys(all)) {
    if (Object.hasOwn(own, name)) continue;
    const others = modelNames.filter((other) => Object.hasOwn(choicesFor(other), name));
    throw new UserError(
      'argument',
      `${asGiven(name)} is for the model ${others.join(', ')}, not for ${model}; leave it out`,
    );
  }
  const configFor = (objective: Objective) =>
    Object.fromEntries(
      Object.entries(config).filter(([name]) => (own[name].objective ?? objective) === objective),
    );
  const definition = (objective: Objective, factors?: number): ModelDefinition => {
    const { define } = learned(model) ?? {};
    if (!define) throw notLearned(model);
    return define({ ...configFor(objective), ...(factors !== undefined && { factors }) });
  };
  if (isSolved(model)) return { objectives, definition, chosen, solved: { name: model, config } };
  // Also checks the configuration.
  for (const objective of objectives) definition(objective);
  return { objectives, definition, chosen };
}
