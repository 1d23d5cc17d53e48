import { RANKING } from '../../../graphs/models/built-in.ts';
import { builtIn } from '../../../graphs/models/index.ts';
import type { DataFacts } from '../../../graphs/models/model.ts';
import { lastQuarter } from '../../data/dataset/positives.ts';
import { option, UserError } from '../../errors.ts';
import { adagrad } from '../step/optimizers/adagrad.ts';
import { cosine } from '../step/schedules.ts';
import { trainingChoices } from './choices.ts';
import type { RankingPlan, Resolved } from './plan.ts';
import { checkRecipe, type ProgramRecipe } from './recipe.ts';
import { checkSizes } from './resolve.ts';

/**
 * The lowest rating that counts as a positive.
 *
 * @throws UserError if no rating is as high
 */
export function positiveOf({ positive }: ProgramRecipe, facts: DataFacts): number | 'all' {
  if (typeof positive === 'number' && positive > facts.high)
    throw new UserError(
      'argument',
      `${option('positive')} is ${positive}, but the highest rating is ${facts.high}; give a lower one, or all`,
    );
  return positive ?? lastQuarter(facts);
}

/**
 * Makes every choice that a recipe leaves open for ranking.
 *
 * @param facts about the ratings that count as positives
 * @throws UserError for an invalid choice
 */
export function resolveRanking(recipe: ProgramRecipe, facts: DataFacts): Resolved<RankingPlan> {
  const { chosen, ...checked } = checkRecipe(recipe);
  const both = checked.objectives.length > 1;
  const definition = checked.definition('ranking', chosen.rankingFactors);
  const model = definition(facts, 'ranking');
  checkSizes(model);
  const settings = { ...RANKING, ...builtIn(model.name)?.ranking };
  const optimizer = adagrad();
  const schedule = cosine({
    learningRate:
      chosen.rankingLearningRate ?? (both ? undefined : chosen.learningRate) ?? settings.learningRate,
  });
  const { seed = trainingChoices.seed.default, patience } = chosen;
  const training: RankingPlan = {
    objective: 'ranking',
    seed,
    epochs: chosen.rankingEpochs ?? chosen.epochs ?? settings.epochs,
    ...(patience !== undefined && { patience }),
    positive: positiveOf(recipe, facts),
    usersPerStep: chosen.usersPerStep ?? usersPerStep(facts.users),
    negatives: chosen.negatives ?? 'all',
    userDecay: settings.userDecay,
    itemDecay: settings.itemDecay,
    optimizer: { name: 'adagrad', ...optimizer.config },
    schedule: { name: 'cosine', ...schedule.config },
  };
  return {
    plan: { model: { name: model.name, config: model.config }, training },
    definition,
    model,
    optimizer,
    schedule,
  };
}

/** A power of two, so that an epoch has some 15 steps or more. Larger steps update the items less often, and cost less. */
const usersPerStep = (users: number): number =>
  2 ** Math.min(8, Math.max(6, Math.round(Math.log2(users / 15))));
