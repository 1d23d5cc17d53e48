import { basename, join } from 'node:path';
import { Command } from 'commander';
import { fingerprint } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { folds, randomSplit, type Split } from '../data/dataset/split.ts';
import { UserError } from '../errors.ts';
import { type Candidate, errorAbove, errorOn, failed, sortedBy } from '../experiment/halving.ts';
import { trialPool } from '../experiment/pool.ts';
import { resolved, search } from '../experiment/search.ts';
import { type Space, spaceBeside } from '../experiment/space.ts';
import { trialLog } from '../experiment/trial-log.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { checkRecipe, type Recipe } from '../train/recipe/recipe.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { replaceFile } from '../util/files.ts';
import { words } from '../util/format.ts';
import { VERSION } from '../version.ts';
import { type Flags, JSON_OBJECT, READING, RECIPE, recipeOf, withChoices } from './choice-options.ts';
import { withConfig } from './config.ts';
import { onInterrupt } from './interrupt.ts';
import { error, plural, printJson, printLine, printNote, printTable } from './output.ts';
import { bar } from './progress.ts';
import { readInMemory, stem } from './train-data.ts';
import { tunePage } from './tune-page.ts';

const own = {
  budget: { kind: kinds.positive, help: 'minutes to search, including earlier starts', default: 10 },
  folds: { kind: kinds.whole(2), help: 'number of folds: random parts of the ratings (default: 5)' },
  valid: {
    kind: kinds.fraction,
    help: 'hold out one random part of this size instead of folds, for many ratings',
  },
  out: { kind: kinds.text('folder'), help: 'folder for trials and results (default: tune/FILE-MODEL)' },
  ...JSON_OBJECT,
} as const satisfies Choices;

type TuneFlags = Flags<'workers', typeof own>;

/** A recipe with a model and a seed. */
type Fixed = Recipe & Required<Pick<Recipe, 'model' | 'seed'>>;

export function tuneCommand(): Command {
  const command = new Command('tune')
    .description(
      'Search for the hyperparameters that predict held-out ratings best. Choices that are given are kept. The same command resumes a search.',
    )
    .argument('<file...>', 'ratings: files or patterns');
  return withConfig(withChoices(command, [...RECIPE, 'workers', ...READING], own), ['workers']).action(run);
}

async function run(files: string[], flags: TuneFlags): Promise<void> {
  const { model, seed } = trainingChoices;
  const fixed: Fixed = { model: model.default, seed: seed.default, ...recipeOf(flags) } as Fixed;
  checkRecipe(fixed);
  const space = spaceBeside(fixed);
  const out = flags.out ?? join('tune', `${stem(files[0])}-${fixed.model}`);
  if (flags.valid !== undefined && flags.folds !== undefined)
    throw new UserError('argument', '--valid and --folds cannot be combined; give only one of them');
  const { ratings } = await readInMemory(files, flags);
  const splits = splitsOf(ratings, fixed.seed, flags);
  const about = { cofactor: VERSION, ...fixed, ...held(flags), data: await fingerprint(ratings) };
  const log = await trialLog(join(out, 'trials.jsonl'), about);
  if (log.trials.length > 0)
    printNote(`Resuming from ${plural(log.trials.length, 'trial')} in ${join(out, 'trials.jsonl')}`);

  const pool = trialPool(splits, flags.workers);
  const interrupt = onInterrupt('Stopped; the same command resumes the search');
  const budget = flags.budget * 60 * SEARCHING - performance.now() / 1000;
  const progress = bar('{bar} {left} left · {tried} · best RMSE {best}');
  const candidates = new Map<number, Candidate>();
  let elapsed = Math.max(0, ...log.trials.map((trial) => trial.elapsed));
  progress.start(budget, elapsed, { left: '', tried: '', best: '' });
  const all = await search({
    pool,
    fixed,
    budget,
    log,
    signal: interrupt.signal,
    onOutcome(candidate, at) {
      elapsed = at;
      candidates.set(candidate.number, candidate);
      const best = rankedOf([...candidates.values()], splits.length)[0];
      progress.update(Math.min(budget, at), {
        left: `${Math.max(0, Math.ceil((budget - at) / 60))} min`,
        tried: plural(candidates.size, 'recipe'),
        best: best ? error(errorOn(best, splits.length) as number) : '–',
      });
    },
  }).finally(async () => {
    progress.stop();
    if (!interrupt.signal.aborted) await pool.close();
  });
  await report({ all, space, folds: splits.length, elapsed, out, files, model: fixed.model }, flags.json);
  // Threads may still be running; the signal ends them with the process.
  interrupt.raise();
}

/** Fraction of the budget for the search. The rest is for the page and the table. */
const SEARCHING = 0.98;

const splitsOf = (ratings: Ratings, seed: number, { valid, folds: count = 5 }: TuneFlags): Split[] =>
  valid === undefined ? folds(ratings, count, seed) : [randomSplit(ratings, valid, seed)];

const held = ({ valid, folds: count = 5 }: TuneFlags) => (valid === undefined ? { folds: count } : { valid });

/** Candidates that were tried on all folds, the best first. */
const rankedOf = (candidates: readonly Candidate[], count: number): Candidate[] =>
  sortedBy(
    candidates.filter((candidate) => !failed(candidate)),
    (candidate) => errorOn(candidate, count),
  );

interface Found {
  readonly all: readonly Candidate[];
  readonly space: Space;
  readonly folds: number;
  /** Seconds. */
  readonly elapsed: number;
  readonly out: string;
  readonly files: readonly string[];
  readonly model: string;
}

/** Prints and writes the results. */
async function report(found: Found, json?: boolean): Promise<void> {
  const { all, space, folds: count, elapsed, out, files, model } = found;
  const ranked = rankedOf(all, count);
  // Interrupted before there were results.
  if (ranked.length === 0) return;
  const [best] = ranked;
  const rmse = errorOn(best, count) as number;
  const gain = -errorAbove(best, all[0]);
  const rest = sortedBy(
    all.filter(
      (candidate) => !ranked.includes(candidate) && !failed(candidate) && candidate.outcomes.size > 0,
    ),
    (candidate) => errorAbove(candidate, all[0]) - candidate.outcomes.size,
  );
  const top = [...ranked, ...rest].slice(0, 10);
  const table = [
    ['recipe', ...[...space.dimensions.keys()].map(words), 'folds', 'above default', 'RMSE'],
    ...top.map((candidate) => rowOf(candidate, all[0], space, count)),
  ];
  const tried = all.filter(({ outcomes }) => outcomes.size > 0);
  const trials = all.reduce((sum, { outcomes }) => sum + outcomes.size, 0);
  const failures = plural(tried.filter(failed).length, 'recipe');
  const told = `Tried ${plural(tried.length, 'recipe')} of ${model} in ${plural(trials, 'training')} on ${count === 1 ? 'one held-out part' : `${count} folds`} of ${files.join(', ')}, in ${(elapsed / 60).toFixed(1)} minutes; ${failures} diverged or took too long.`;
  const page = await tunePage({
    ...{ title: `Tuning of ${model} on ${files.map((file) => basename(file)).join(', ')}` },
    ...{ about: told, candidates: all, best, space, table },
  });
  const config = join(out, 'best.json');
  await replaceFile(config, Buffer.from(`${JSON.stringify(best.recipe, null, 2)}\n`), 'the best recipe');
  await replaceFile(join(out, 'tune.html'), Buffer.from(page), 'the page');
  if (json) {
    printJson({
      ...{ out, recipes: tried.length, trials, seconds: elapsed, best: best.recipe, rmse },
      ...{ default: errorOn(all[0], count) },
    });
    return;
  }
  printLine(told);
  printTable(table);
  printLine(
    best === all[0]
      ? 'The default recipe is the best that was found'
      : `The best is ${error(gain)} below the default`,
  );
  printLine(`Wrote ${config}, ${join(out, 'tune.html')}`);
  printLine(`  npx cofactor train ${files.join(' ')} --config ${config}`);
}

function rowOf(candidate: Candidate, standard: Candidate, space: Space, count: number): string[] {
  const recipe = resolved(candidate);
  const above = errorAbove(candidate, standard);
  const size = candidate.outcomes.size;
  return [
    candidate.number === 0 ? 'default' : `${candidate.number}`,
    ...[...space.dimensions.keys()].map((name) => [recipe[name] ?? '–'].flat().join(',')),
    `${size}/${count}`,
    candidate === standard ? '' : `${above > 0 ? '+' : ''}${error(above)}`,
    size === count ? error(errorOn(candidate, count) as number) : '–',
  ];
}
