import { basename, join } from 'node:path';
import { Command } from 'commander';
import type { Objective } from '../../graphs/models/model.ts';
import { fingerprint } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { folds, randomSplit, type Split } from '../data/dataset/split.ts';
import { UserError } from '../errors.ts';
import { type Candidate, errorAbove, errorOn, failed, sortedBy } from '../experiment/halving.ts';
import { MEASURES } from '../experiment/measures.ts';
import { partOf } from '../experiment/parts.ts';
import { trialPool } from '../experiment/pool.ts';
import { RECIPES, resolved, type Searched, type SearchOptions, search } from '../experiment/search.ts';
import { type Space, spaceBeside } from '../experiment/space.ts';
import { rankingDefaults } from '../experiment/trial.ts';
import { type About, type TrialLog, trialLog } from '../experiment/trial-log.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { checkRecipe, type Recipe } from '../train/recipe/recipe.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { words } from '../util/format.ts';
import { listed, OwnFolder } from '../util/own-folder.ts';
import { VERSION } from '../version.ts';
import { type Flags, JSON_OBJECT, READING, RECIPE, recipeOf, withChoices } from './choice-options.ts';
import { withConfig } from './config.ts';
import { onInterrupt } from './interrupt.ts';
import { error, plural, printJson, printLine, printNote, printTable, shellWord } from './output.ts';
import { checkOutputs } from './outputs.ts';
import { bar } from './progress.ts';
import { readInMemory, stem } from './train-data.ts';
import { tunePage } from './tune-page.ts';

const FOLDS = 5;

const own = {
  budget: { kind: kinds.positive, help: 'minutes to search, including earlier starts', default: 10 },
  folds: {
    kind: kinds.whole(2),
    help: `number of folds: random parts of the ratings (default: ${FOLDS}; one of them is held out if the budget is small)`,
  },
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
      'Search for the hyperparameters that predict held-out ratings best, and for those that rank best. Choices that are given are kept. The same command resumes a search.',
    )
    .argument('<file...>', 'ratings: files or patterns');
  return withConfig(withChoices(command, [...RECIPE, 'workers', ...READING], own), ['workers']).action(run);
}

async function run(files: string[], flags: TuneFlags, command: Command): Promise<void> {
  const { model, seed } = trainingChoices;
  const given: Fixed = { model: model.default, seed: seed.default, ...recipeOf(flags) } as Fixed;
  checkRecipe(given);
  if (flags.valid !== undefined && flags.folds !== undefined)
    throw new UserError('argument', '--valid and --folds cannot be combined; give only one of them');
  const out = flags.out ?? join('tune', `${stem(files[0])}-${given.model}`);
  await checkOutputs(command, { folders: { out } });
  const folder = await OwnFolder.open(out, SEARCH);
  let interrupt: Interrupt | undefined;
  try {
    const { ratings } = await readInMemory(files, flags);
    interrupt = onInterrupt('Stopped; the same command resumes the search');
    await searchIn({ folder, files, flags, given, ratings }, interrupt.signal);
  } finally {
    folder.close();
    interrupt?.stop();
  }
  // Threads may still be running; the signal ends them with the process.
  interrupt.raise();
}

type Interrupt = ReturnType<typeof onInterrupt>;

interface Task {
  readonly folder: OwnFolder;
  readonly files: readonly string[];
  readonly flags: TuneFlags;
  readonly given: Fixed;
  readonly ratings: Ratings;
}

async function searchIn(task: Task, signal: AbortSignal): Promise<void> {
  const { folder, flags, given, ratings } = task;
  const out = folder.directory;
  const { objectives } = checkRecipe(given, ratings.kind);
  const beside = objectives.length > 1;
  const parts = objectives.map((objective): Part => {
    const fixed = partOf(given, objective);
    return { objective, fixed, space: spaceBeside(fixed, { beside }) };
  });
  const splits = splitsOf(ratings, given.seed, flags);
  const about = {
    ...{ cofactor: VERSION, objective: trainingChoices.objective.default, ...given, ...held(flags) },
    data: await fingerprint(ratings),
  };
  const logs: TrialLog[] = [];
  for (const [index] of parts.entries()) logs.push(await openLog(join(out, LOGS[index]), about));

  const pool = trialPool(splits, flags.workers);
  const budget = flags.budget * 60 * SEARCHING - performance.now() / 1000;
  const found: Found[] = [];
  let failure: unknown;
  for (const [index, part] of parts.entries()) {
    const share = beside ? SHARES[part.objective] : 1;
    const options = {
      ...{ pool, budget: budget * share, log: logs[index], signal },
      fallsBack: flags.folds === undefined && flags.valid === undefined,
    };
    try {
      // After an interrupt this only restores what its log has.
      found.push(await searchPart(part, options));
    } catch (error) {
      failure = error;
      break;
    }
  }
  if (!signal.aborted) await pool.close();
  await report({ ...task, found, parts: parts.length, isStopped: signal.aborted });
  if (failure) throw failure;
}

/** A part of the model, which is searched by itself. */
interface Part {
  readonly objective: Objective;
  readonly fixed: Recipe;
  readonly space: Space;
}

/** The results of a search. */
interface Found extends Part, Pick<Searched, 'folds' | 'isSmall'> {
  readonly all: readonly Candidate[];
  /** Number of folds. */
  readonly most: number;
  /** Candidates that were tried on them, the best first; none if the default was not. */
  readonly ranked: readonly Candidate[];
  readonly best: Candidate;
  /** Seconds. */
  readonly elapsed: number;
}

/** The results. */
const [BEST, PAGE] = ['best.json', 'tune.html'];

const SEARCH = listed('search', [BEST, PAGE]);

/** Files of trials, of the first part and of the second. */
const LOGS = ['trials.jsonl', 'trials-ranking.jsonl'];

/** Share of the budget of each part, if there are both. A training that ranks takes longer. */
const SHARES = { rating: 1 / 3, ranking: 2 / 3 };

async function openLog(path: string, about: About): Promise<TrialLog> {
  const log = await trialLog(path, about);
  if (log.trials.length > 0) printNote(`Resuming from ${plural(log.trials.length, 'trial')} in ${path}`);
  return log;
}

async function searchPart(
  part: Part,
  options: Pick<SearchOptions, 'pool' | 'budget' | 'log' | 'signal' | 'fallsBack'>,
): Promise<Found> {
  const { pool, budget, log } = options;
  const { title, sign } = MEASURES[part.objective];
  const progress = bar(`{bar} {left} left · {tried} · best ${title} {best}`);
  const candidates = new Map<number, Candidate>();
  let elapsed = Math.max(0, ...log.trials.map((trial) => trial.elapsed));
  progress.start(budget, elapsed, { left: '', tried: '', best: '' });
  const { candidates: all, ...searched } = await search({
    ...options,
    ...part,
    onOutcome(candidate, at, count) {
      elapsed = at;
      candidates.set(candidate.number, candidate);
      const best = rankedOf([...candidates.values()], count)[0];
      progress.update(Math.min(budget, at), {
        left: `${Math.max(0, Math.ceil((budget - at) / 60))} min`,
        tried: plural(candidates.size, 'recipe'),
        best: best ? error(sign * (errorOn(best, count) as number)) : '–',
      });
    },
  }).finally(() => progress.stop());
  const { folds } = searched;
  const ranked = errorOn(all[0], folds) === undefined ? [] : rankedOf(all, folds);
  const [best = all[0]] = ranked;
  return { ...part, ...searched, all, most: pool.folds.length, ranked, best, elapsed };
}

/** Fraction of the budget for the search. The rest is for the page and the table. */
const SEARCHING = 0.98;

const splitsOf = (ratings: Ratings, seed: number, { valid, folds: count = FOLDS }: TuneFlags): Split[] =>
  valid === undefined ? folds(ratings, count, seed) : [randomSplit(ratings, valid, seed)];

const held = ({ valid, folds: count = FOLDS }: TuneFlags) =>
  valid === undefined ? { folds: count } : { valid };

/** Candidates that were tried on all folds, the best first. */
const rankedOf = (candidates: readonly Candidate[], count: number): Candidate[] =>
  sortedBy(
    candidates.filter((candidate) => !failed(candidate)),
    (candidate) => errorOn(candidate, count),
  );

interface Search extends Task {
  /** The results of each part that could be searched. */
  readonly found: readonly Found[];
  /** Number of parts to search. */
  readonly parts: number;
  readonly isStopped: boolean;
}

/** Prints and writes the results. */
async function report(results: Search): Promise<void> {
  const { found, given, parts, folder, files, flags } = results;
  const out = folder.directory;
  // The default recipe cannot be trained.
  if (found.length === 0) return;
  const isWhole = found.length === parts;
  const recipe = isWhole && parts > 1 ? await bestOfBoth(results) : found[0].best.recipe;
  const searches = found
    .filter(({ all }) => all.some(({ outcomes }) => outcomes.has(0)))
    .map((one) => ({
      ...one,
      measure: MEASURES[one.objective],
      heading: parts > 1 ? HEADINGS[one.objective] : undefined,
      candidates: one.all,
      about: toldOf(one, given.model, files),
      table: tableOf(one),
    }));
  const title = `Tuning of ${given.model} on ${files.map((file) => basename(file)).join(', ')}`;
  const page = searches.length > 0 && { [PAGE]: Buffer.from(await tunePage({ title, searches })) };
  const config = join(out, BEST);
  await folder.replaceListed({ [BEST]: Buffer.from(`${JSON.stringify(recipe, null, 2)}\n`), ...page });
  for (const one of found) printNotes(one, results);
  if (flags.json) {
    const numbers = found.map((one) => [one.objective, numbersOf(one)] as const);
    printJson({ out, best: recipe, ...(parts > 1 ? Object.fromEntries(numbers) : numbers[0][1]) });
    return;
  }
  for (const { heading, about, table, best, all, ranked, measure } of searches) {
    if (heading !== undefined) printLine(`${heading}, by ${measure.title}`);
    printLine(about);
    printTable(table);
    if (ranked.length > 1)
      printLine(
        best === all[0]
          ? 'The default recipe is the best that was found'
          : `The best is ${error(-errorAbove(best, all[0]))} ${measure.sign > 0 ? 'below' : 'above'} the default`,
      );
    if (heading !== undefined) printLine('');
  }
  if (!isWhole)
    printLine(
      `The other part cannot be trained, so ${config} trains the objective ${found[0].objective} alone`,
    );
  printLine(`Wrote ${[config, ...(page ? [join(out, PAGE)] : [])].join(', ')}`);
  printLine(`  npx cofactor train ${files.map(shellWord).join(' ')} --config ${shellWord(config)}`);
}

/** Says on how little recipes were compared, if that was not asked for, or that nothing was compared. */
function printNotes(found: Found, { parts, isStopped }: Search): void {
  const { objective, folds, most, isSmall, ranked } = found;
  const note = (line: string): void => printNote(parts > 1 ? `${HEADINGS[objective]}: ${line}` : line);
  const before = (recipe: string, count: number): string =>
    `${isStopped ? 'the search was stopped' : 'the budget ended'} before ${recipe} recipe was tried on ${onFolds(count)}`;
  const goesOn = `The same command${isStopped ? '' : ' with a larger --budget'} goes on`;
  if (ranked.length < 2)
    note(
      `Nothing could be compared, because ${before(ranked.length > 0 ? 'another' : 'the default', folds)}; best.json has the default. ${goesOn}`,
    );
  else if (folds < most)
    note(
      `Recipes were compared on one held-out part, a random fifth, because ${isSmall ? `there is no time for ${RECIPES} recipes on ${most} folds. The same command with a larger --budget, or --folds ${most}, goes on with all` : `${before('the default', most)}. ${goesOn}`}`,
    );
}

const onFolds = (count: number): string => (count === 1 ? 'one held-out part' : `${count} folds`);

const HEADINGS: Readonly<Record<Objective, string>> = { rating: 'Predicting ratings', ranking: 'Ranking' };

/** One recipe with the best values of both parts. Defaults are in it, because those of ranking follow from the others. */
async function bestOfBoth({ found, given, ratings }: Search): Promise<Recipe> {
  if (found.every(({ best }) => best.outcomes.size === 0)) return given;
  const values = found.map(async ({ objective, best, fixed, space }) => {
    const isUntried = objective === 'ranking' && best.outcomes.size === 0;
    const recipe = isUntried ? await rankingDefaults(ratings, fixed) : resolved(best);
    return [...space.dimensions.keys()].map((name) => [name, recipe[name]] as const);
  });
  return { ...given, ...Object.fromEntries((await Promise.all(values)).flat()) };
}

const triedOf = ({ all }: Found): Candidate[] => all.filter(({ outcomes }) => outcomes.size > 0);
const trialsOf = ({ all }: Found): number => all.reduce((sum, { outcomes }) => sum + outcomes.size, 0);

function numbersOf(found: Found) {
  const { all, best, elapsed, folds, ranked } = found;
  const { key, sign } = MEASURES[found.objective];
  const measured = (candidate: Candidate) => {
    const error = errorOn(candidate, folds);
    return error === undefined ? undefined : sign * error;
  };
  return {
    ...{ folds, recipes: triedOf(found).length, compared: ranked.length, trials: trialsOf(found) },
    ...{ seconds: elapsed, [key]: measured(best), default: measured(all[0]) },
  };
}

function toldOf(found: Found, model: string, files: readonly string[]): string {
  const tried = triedOf(found);
  const failures = plural(tried.filter(failed).length, 'recipe');
  return `Tried ${plural(tried.length, 'recipe')} of ${model} in ${plural(trialsOf(found), 'training')} on ${onFolds(found.folds)} of ${files.join(', ')}, in ${(found.elapsed / 60).toFixed(1)} minutes; ${failures} diverged or took too long.`;
}

/** The best recipes, and those that came furthest. */
function tableOf({ all, ranked, space, objective, folds }: Found): string[][] {
  const rest = sortedBy(
    all.filter(
      (candidate) => !ranked.includes(candidate) && !failed(candidate) && candidate.outcomes.size > 0,
    ),
    (candidate) => errorAbove(candidate, all[0]) - candidate.outcomes.size,
  );
  const measure = MEASURES[objective];
  return [
    ['recipe', ...[...space.dimensions.keys()].map(words), 'folds', 'above default', measure.title],
    ...[...ranked, ...rest].slice(0, 10).map((candidate) => {
      const recipe = resolved(candidate);
      const above = measure.sign * errorAbove(candidate, all[0]);
      const mean = errorOn(candidate, folds);
      return [
        candidate.number === 0 ? 'default' : `${candidate.number}`,
        ...[...space.dimensions.keys()].map((name) => [recipe[name] ?? '–'].flat().join(',')),
        `${Math.min(candidate.outcomes.size, folds)}/${folds}`,
        Number.isFinite(above) && candidate !== all[0] ? `${above > 0 ? '+' : ''}${error(above)}` : '',
        mean === undefined ? '–' : error(measure.sign * mean),
      ];
    }),
  ];
}
