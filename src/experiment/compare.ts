import type { DataKind, Objective } from '../../graphs/models/model.ts';
import { relevantFrom } from '../data/dataset/positives.ts';
import { UserError } from '../errors.ts';
import { checkRecipe } from '../train/recipe/recipe.ts';
import { type CrossValidateOptions, type CrossValidation, crossValidate } from './cross-validate.ts';
import { MEASURES, type Measure } from './measures.ts';
import type { TrialPool } from './pool.ts';
import { type Difference, heldOutRatio, pairedDifference } from './statistics.ts';
import type { Predictor } from './trial.ts';

/** The difference between two predictors. */
export interface ComparedPair {
  readonly measure: Measure['key'];
  readonly name: string;
  /** The better predictor: the one with the lower RMSE, or the higher NDCG. */
  readonly than: string;
  /** The measure of `name` less that of `than`, over folds. */
  readonly difference: Difference;
  /** Whether `p` is below 0.05; absent with one fold. */
  readonly real?: boolean;
}

export interface Comparison {
  /** Results by name: the lowest RMSE first, then what only ranks, the highest NDCG first. */
  readonly predictors: Readonly<Record<string, CrossValidation>>;
  /** By each measure, each predictor compared with the best one, and the pairs that were asked for. */
  readonly pairs: readonly ComparedPair[];
}

/**
 * Cross-validates predictors on the same folds, and tests which differences are significant: of RMSE if some model predicts
 * ratings, and of NDCG if some model ranks. Relevant are ratings in the last quarter of the scale, whatever a model takes as
 * positive. Baselines rank from what all models take as positive; if these differ, from the last quarter of the scale.
 *
 * @throws UserError as `crossValidate` does, with the predictor's name
 */
export async function compare(
  pool: TrialPool,
  predictors: Readonly<Record<string, Predictor>>,
  wanted: readonly (readonly [string, string])[] = [],
  { k, onResult }: Pick<CrossValidateOptions, 'k' | 'onResult'> = {},
): Promise<Comparison> {
  const { facts } = pool.folds[0].train;
  const objectives = objectivesOf(Object.values(predictors), facts.kind);
  const trial = {
    ...{ files: true, objectives, k, onResult },
    threshold: relevantFrom(facts),
    positive: positiveOf(Object.values(predictors)),
  };
  const entries = await Promise.all(
    Object.entries(predictors).map(
      async ([name, predictor]) =>
        [name, await crossValidate(pool, predictor, trial).catch((error) => fail(name, error))] as const,
    ),
  );
  const all = Object.fromEntries(entries);
  const orders = objectives.map((objective) => sortedBy(MEASURES[objective], all));
  const order = new Set([...orders.flat(), ...Object.keys(all)]);
  const ratio = heldOutRatio(pool.folds);
  return {
    predictors: Object.fromEntries(Array.from(order, (name) => [name, all[name]])),
    pairs: objectives.flatMap((objective, index) => {
      const { key } = MEASURES[objective];
      const values = (name: string) => all[name].results.map((result) => result[key] as number);
      return pairsIn(orders[index], wanted).map(([name, than]) => {
        const difference = pairedDifference(values(name), values(than), ratio);
        const { p } = difference;
        return { measure: key, name, than, difference, ...(p !== undefined && { real: p < 0.05 }) };
      });
    }),
  };
}

/** What some of the models were trained for; both without models. */
function objectivesOf(predictors: readonly Predictor[], kind: DataKind | undefined): Objective[] {
  const recipes = predictors.filter((predictor) => typeof predictor !== 'string');
  const found = new Set(recipes.flatMap((recipe) => checkRecipe(recipe, kind).objectives));
  return (['rating', 'ranking'] as const).filter((objective) => found.size === 0 || found.has(objective));
}

/** What all models take as positive; undefined if they differ. */
function positiveOf(predictors: readonly Predictor[]): number | 'all' | undefined {
  const recipes = predictors.filter((predictor) => typeof predictor !== 'string');
  const [first] = recipes;
  return recipes.every(({ positive }) => positive === first.positive) ? first?.positive : undefined;
}

/** The names of predictors that have a measure, the best first. */
function sortedBy({ key, sign }: Measure, all: Readonly<Record<string, CrossValidation>>): string[] {
  const means = Object.entries(all).flatMap(([name, { [key]: of }]) => (of ? [{ name, mean: of.mean }] : []));
  return means.sort((one, other) => sign * (one.mean - other.mean)).map(({ name }) => name);
}

/** Each name with the first one, and the pairs that are wanted, the better one second. */
function pairsIn(
  [best, ...others]: readonly string[],
  wanted: readonly (readonly [string, string])[],
): (readonly [string, string])[] {
  const pairs = others.map((name): readonly [string, string] => [name, best]);
  for (const pair of wanted) {
    const [than, name] = [best, ...others].filter((one) => pair.includes(one));
    if (name !== undefined && than !== best) pairs.push([name, than]);
  }
  return pairs;
}

function fail(name: string, error: unknown): never {
  throw error instanceof UserError ? new UserError(error.code, `${name}, ${error.marked}`) : error;
}
