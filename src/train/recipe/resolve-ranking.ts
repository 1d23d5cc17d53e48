import { RANKING } from '../../../graphs/models/built-in.ts';
import { learned } from '../../../graphs/models/index.ts';
import { type DataFacts, type Model, scoreOf } from '../../../graphs/models/model.ts';
import { MANY } from '../../data/dataset/dataset.ts';
import { lastQuarter, type Weighting } from '../../data/dataset/positives.ts';
import { option, UserError } from '../../errors.ts';
import { nodesBefore } from '../../onnx/graph.ts';
import * as onnx from '../../onnx/index.ts';
import { adagrad } from '../step/optimizers/adagrad.ts';
import { cosine } from '../step/schedules.ts';
import { placeholders } from '../step/tables.ts';
import { trainingChoices } from './choices.ts';
import { checkParameters } from './parameters.ts';
import type { RankingPlan, Resolved } from './plan.ts';
import { checkRecipe, type ProgramRecipe } from './recipe.ts';

/**
 * The lowest rating that counts as a positive.
 *
 * @throws UserError if no rating is as high
 */
export function positiveOf({ positive }: ProgramRecipe, facts: DataFacts): number | 'all' {
  // Ratings are 32-bit floats, so the limit must be rounded alike.
  if (typeof positive === 'number' && Math.fround(positive) > facts.high)
    throw new UserError(
      'argument',
      `${option('positive')} is ${positive}, but the highest ${facts.kind === 'interactions' ? 'strength of an interaction' : 'rating'} is ${facts.high}; give a lower one, or all`,
    );
  if (facts.kind === 'interactions' && typeof positive === 'number' && positive <= 0)
    throw new UserError(
      'argument',
      `${option('positive')} is ${positive}, but an interaction counts from above 0; give a higher one, or all`,
    );
  return positive ?? (facts.kind === 'interactions' ? 'all' : lastQuarter(facts));
}

/** How strengths weigh, if they follow tastes. */
export const weightingOf = ({ weights = 'log' }: ProgramRecipe): Weighting => weights;

/**
 * Makes every choice that a recipe leaves open for ranking.
 *
 * @param facts about the data; `positives`: number of ratings that count as such; `patterns`: see `patternsOf`
 * @throws UserError for an invalid choice
 */
export function resolveRanking(
  recipe: ProgramRecipe,
  facts: DataFacts & { readonly positives: number; readonly patterns?: number | undefined },
  { isParallel = false }: { readonly isParallel?: boolean } = {},
): Resolved<RankingPlan> {
  const { chosen, objectives, definition: definitionFor } = checkRecipe(recipe, facts.kind);
  const { learningRate, rankingLearningRate, rankingFactors } = chosen;
  const sizes = { ...facts, ratings: facts.positives };
  const standard = definitionFor('ranking', rankingFactors)(sizes, 'ranking');
  const isMany = facts.positives >= MANY;
  const { ranking, rankingOfMany } = learned(standard.name) ?? {};
  const settings = { ...RANKING, ...ranking, ...(isMany && rankingOfMany) };
  const epochs = chosen.rankingEpochs ?? chosen.epochs ?? settings.epochs;
  const isChosen = rankingFactors !== undefined || recipe.factors !== undefined || !learned(standard.name);
  const enough = facts.patterns && Math.max(16, 2 ** Math.ceil(Math.log2(2 * facts.patterns)));
  const narrower = isChosen
    ? []
    : NARROWER.filter(
        (factors) => factors < Math.min(factorsOf(standard), enough ?? Number.POSITIVE_INFINITY),
      );
  const widest = isChosen ? rankingFactors : (enough ?? rankingFactors);
  const options = [widest, ...narrower].map((factors) => {
    const definition = definitionFor('ranking', factors);
    return { definition, model: definition(sizes, 'ranking') };
  });
  const isLarge = facts.items > 2 * NEGATIVES;
  const asked =
    typeof chosen.negatives === 'number' && chosen.negatives >= facts.items ? 'all' : chosen.negatives;
  const usual = asked ?? (isLarge && (isMany || breadthOf(standard, facts.items) > 1) ? NEGATIVES : 'all');
  const seconds = ({ model }: { model: Model }): number =>
    secondsOf({ model, epochs, negatives: usual }, sizes);
  const isBounded = isMany && rankingOfMany !== undefined;
  const most = isBounded
    ? SECONDS_OF_POSITIVE * facts.positives
    : Math.max(SECONDS, SECONDS_OF_RATING * facts.ratings);
  const fitting = options.find((option) => seconds(option) <= most && !(isBounded && isHeavy(option.model)));
  const { definition, model } = fitting ?? options[options.length - 1];
  checkParameters(model);
  const optimizer = adagrad();
  const schedule = cosine({
    learningRate:
      rankingLearningRate ??
      (objectives.length > 1 ? undefined : learningRate) ??
      rounded(settings.learningRate * rateFor(facts.positives / settings.fullRateFrom)),
  });
  const { seed = trainingChoices.seed.default, patience } = chosen;
  const negatives = fitting || !isLarge ? usual : (asked ?? NEGATIVES);
  const training: RankingPlan = {
    objective: 'ranking',
    seed,
    epochs,
    ...(patience !== undefined && { patience }),
    positive: positiveOf(recipe, facts),
    ...(facts.kind === 'interactions' && { weights: weightingOf(recipe) }),
    usersPerStep: chosen.usersPerStep ?? usersPerStep(model, sizes, negatives),
    negatives,
    ...(isMany && isParallel && { shards: SHARDS }),
    ...(settings.userRate !== undefined && { userRate: settings.userRate }),
    userDecay: settings.userDecay,
    itemDecay: settings.itemDecay,
    optimizer: { name: 'adagrad', ...optimizer.config },
    schedule: { name: 'cosine', ...schedule.config },
  };
  const plan = { model: { name: model.name, config: model.config }, training };
  return { plan, definition, model, optimizer, schedule };
}

/** The part of the learning rate for a part of the positives that the full one is for: half of it at least. */
const rateFor = (part: number): number => Math.min(1, Math.max(0.5, Math.sqrt(part)));

const rounded = (rate: number): number => Number(rate.toPrecision(2));

/**
 * What a plan has less of than the defaults, because of the size of the data, and about how many times as long the defaults
 * would take; undefined if it has all.
 */
export function reductionOf(
  { model, plan: { training } }: Resolved<RankingPlan>,
  recipe: ProgramRecipe,
  facts: DataFacts,
): { readonly factors: number; readonly negatives: number | 'all'; readonly times: number } | undefined {
  const { definition, chosen } = checkRecipe(recipe);
  const whole = definition('ranking', chosen.rankingFactors)(facts, 'ranking');
  const { epochs, negatives } = training;
  const [factors, most] = [factorsOf(model), factorsOf(whole)];
  if (factors >= most && (negatives === 'all' || chosen.negatives !== undefined)) return undefined;
  const full = secondsOf({ model: whole, epochs, negatives: chosen.negatives ?? 'all' }, facts);
  return { factors, negatives, times: full / secondsOf({ model, epochs, negatives }, facts) };
}

/**
 * More shards would keep more cores busy, but their users start from older rows of items: on a million pairs 8 have an NDCG
 * of .116 where users one after the other have .116, or .092 of .093, as 4 do; see docs/decisions.md.
 */
const SHARDS = 8;

/** Numbers of factors that are tried for large data, where the default takes too long. */
const NARROWER = [128, 64];
/**
 * Number of sampled items, where all of them take too long. An MLP has them from twice as many items on: its NDCG on latest-small
 * is the same, in a third of the time.
 */
const NEGATIVES = 2048;

/** The estimated training time may be this many seconds, or this many per rating, ten times that of predicting ratings. */
const SECONDS = 150;
const SECONDS_OF_RATING = 80e-6;
/** With many positives it may be this many seconds per positive, so that it grows as they do. */
const SECONDS_OF_POSITIVE = 15e-6;
/** Most numbers in a table of factors for many positives. Training has some six copies of it, by 4 bytes a number. */
const LARGEST_TABLE = 2 ** 24;

const isHeavy = ({ parameters }: Model): boolean =>
  Object.values(parameters).some(({ dims }) => dims.reduce((size, dim) => size * dim, 1) > LARGEST_TABLE);

/** Estimated time of a training, in seconds. */
const secondsOf = (
  { model, epochs, negatives }: { model: Model; epochs: number; negatives: number | 'all' },
  facts: DataFacts,
): number =>
  epochs *
  (negatives === 'all'
    ? facts.users * facts.items * secondsOfScore(model, facts)
    : facts.users * negatives * secondsOfScore(model, facts) +
      facts.ratings * factorsOf(model) * SECONDS_OF_NUMBER);

/** Of sampled items, each number of a positive's rows. */
const SECONDS_OF_NUMBER = 4e-9;

/**
 * Estimated time per user and candidate of an epoch, in seconds: for the products of factors, for the numbers of the grid of
 * scores, and for the update of the items' rows. Measured for dot-bias with 64 and 256 factors and the MLP, on one thread.
 */
function secondsOfScore(model: Model, facts: DataFacts): number {
  const factors = factorsOf(model);
  const update = (10 * factors) / usersPerStep(model, facts, 'all');
  return (0.12 * factors + 10 * breadthOf(model, facts.items) + update) * 1e-9;
}

/** The number of factors of a model's widest table of users or items. */
export const factorsOf = ({ parameters }: Pick<Model, 'parameters'>): number =>
  Math.max(...Object.values(parameters).map(({ dims, rowsOf }) => (rowsOf && dims[1]) || 1));

/** Numbers in the widest tensor of a grid of scores, for each score: 1 for dot-bias, the widest layer for an MLP. */
function breadthOf(model: Model, items: number): number {
  const parameters = placeholders(model);
  const scores = onnx.allPairs(
    (user, item) => scoreOf(model, parameters, { user, item }),
    onnx.input('user', 'int64', ['n']),
    onnx.range(onnx.constant(items, 'int64'), items),
  );
  const widths = nodesBefore([scores])
    .flatMap(({ outputs }) => outputs)
    .filter(({ dims }) => /^n\b/.test(String(dims[0])))
    .map(({ dims }) =>
      dims
        .join('*')
        .split('*')
        .reduce((size, dim) => size * (Number(dim) || 1), 1),
    );
  return Math.max(1, ...widths.map((width) => width / items));
}

/** Most numbers in a tensor of a step. */
const LARGEST = 2 ** 24;

/**
 * A power of two, so that an epoch has some 15 steps or more, 80 of many positives, but no more users than memory allows. Larger
 * steps update the items less often, and cost less.
 */
function usersPerStep(model: Model, { users, items, ratings }: DataFacts, negatives: number | 'all'): number {
  const isMany = ratings >= MANY;
  // Beside the negatives, a step has the positives of its users.
  const candidates = negatives === 'all' ? items : 2 * negatives;
  const most = Math.floor(LARGEST / (candidates * breadthOf(model, items)));
  const wanted = Math.round(Math.log2(users / (isMany ? 80 : 15)));
  return Math.max(1, Math.min(most, 2 ** Math.min(isMany ? 10 : 8, Math.max(6, wanted))));
}
