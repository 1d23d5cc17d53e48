import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { fingerprint } from '../../src/data/dataset/dataset.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { folds } from '../../src/data/dataset/split.ts';
import { type Candidate, errorOn, nextTrial, rungsOf } from '../../src/experiment/halving.ts';
import type { TrialPool } from '../../src/experiment/pool.ts';
import { type SearchOptions, search } from '../../src/experiment/search.ts';
import { trialLog } from '../../src/experiment/trial-log.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';

const folder = temporaryFolder();
const fixed: Recipe = { model: 'dot-bias', seed: 1 };
const splits = folds(lowRank(), 5, 1);

/** Trials that take seconds of a clock that only they move; the fewer factors, the better. */
function standIn(workers = 1) {
  const tried: string[] = [];
  let clock = 0;
  const pool: SearchOptions['pool'] = {
    folds: splits,
    workers,
    async run({ predictor, fold, limit = Infinity }) {
      const { factors: width = 50, learningRate } = predictor as Recipe;
      const factors = Number(width);
      tried.push(`${factors} on ${fold}`);
      const took = factors / 10;
      clock += Math.min(took, limit) / workers;
      if (took > limit) return { failed: 'slow', code: 'training', slow: true, took: limit };
      if (learningRate !== undefined && learningRate > 0.1)
        return { failed: 'diverged', code: 'training', took };
      return { rmse: 1 + factors / 1000 + fold / 10, mae: 1, seconds: took, took, recipe: { factors } };
    },
  };
  return { pool, tried, now: () => clock };
}

let path: string;
let number = 0;
beforeEach(() => {
  path = join(folder.path, `${number++}`, 'trials.jsonl');
});
const about = { model: 'dot-bias', folds: 5 };

async function run(options: Partial<SearchOptions> & { now?: () => number } = {}, workers = 1) {
  const { pool, tried, now } = standIn(workers);
  const log = await trialLog(path, about);
  const searched = await search({ pool, fixed, budget: 600, log, now, ...options });
  return { ...searched, tried, seconds: now() };
}

const bestOf = (candidates: readonly Candidate[]) =>
  Math.min(...candidates.map((candidate) => errorOn(candidate, 5) ?? Infinity));

test('rungs: 1, 3, 9 … and all', () => {
  expect([1, 2, 3, 5, 10].map(rungsOf)).toEqual([[1], [1, 2], [1, 3], [1, 3, 5], [1, 3, 9, 10]]);
});

describe('what is tried next', () => {
  const candidate = (number: number, errors: (number | undefined)[], target = errors.length): Candidate => ({
    number,
    recipe: {},
    outcomes: new Map(
      errors.map((rmse, fold) => [
        fold,
        rmse === undefined
          ? { failed: 'x', code: 'training', took: 1 }
          : { rmse, mae: 0, seconds: 1, took: 1 },
      ]),
    ),
    started: new Set(errors.keys()),
    target,
  });
  const rungs = [1, 3, 5];
  const always = () => true;

  test('a fold that a candidate lacks', () => {
    const lacking = candidate(1, [2], 3);
    expect(nextTrial([candidate(0, [1, 1, 1, 1, 1]), lacking], rungs, always)).toEqual({
      candidate: lacking,
      fold: 1,
    });
  });

  test('the best third of a rung goes on; without one, a new candidate', () => {
    const all = [candidate(0, [3, 3, 3, 3, 3]), candidate(1, [2]), candidate(2, [4])];
    expect(nextTrial(all, rungs, always)).toEqual({ candidate: all[1], fold: 1 });
    expect(all[1].target).toBe(3);
    all[1].started.add(1).add(2);
    expect(nextTrial(all, rungs, always)).toBe('new');
  });

  test('one that failed does not go on', () => {
    const all = [candidate(0, [3, 3, 3, 3, 3]), candidate(1, [undefined]), candidate(2, [undefined], 3)];
    expect(nextTrial(all, rungs, always)).toBe('new');
  });

  test('where there is no time for a new one, the best that is under way; and no time is the end', () => {
    const all = [candidate(0, [3, 3, 3, 3, 3]), candidate(1, [5]), candidate(2, [4])];
    expect(nextTrial(all, rungs, (one) => one !== undefined)).toEqual({ candidate: all[2], fold: 1 });
    expect(nextTrial(all.slice(0, 2), rungs, () => false)).toBe(undefined);
  });
});

test('the default is tried first, on all folds, and what comes is better', async () => {
  const { candidates, tried } = await run();
  expect(tried.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((fold) => `50 on ${fold}`));
  expect(candidates[0].recipe).toEqual(fixed);
  expect(candidates.map((candidate) => candidate.number)).toEqual([...candidates.keys()]);
  expect(candidates.length).toBeGreaterThan(20);
  expect(bestOf(candidates)).toBeLessThan(1.222);
  // Few of them get to the end.
  const whole = candidates.filter((candidate) => candidate.outcomes.size === 5).length;
  expect(whole).toBeLessThan(candidates.length / 3);
});

test('a search of rankings goes to the highest NDCG', async () => {
  const { pool, now } = standIn();
  const ranks: SearchOptions['pool'] = {
    ...pool,
    async run({ predictor, ...trial }) {
      const { rankingFactors = 50, ...recipe } = predictor as Recipe;
      expect(recipe).not.toHaveProperty('factors');
      const outcome = await pool.run({ ...trial, predictor: { factors: rankingFactors } });
      if ('failed' in outcome) return outcome;
      const { rmse: _, mae: __, ...rest } = outcome;
      return { ...rest, ndcg: 0.5 - rankingFactors / 1000 + trial.fold / 10, recipe: { rankingFactors } };
    },
  };
  const log = await trialLog(path, about);
  const { candidates } = await search({
    ...{ pool: ranks, fixed: { ...fixed, objective: 'ranking' }, budget: 600, log, now },
  });
  expect(-(errorOn(candidates[0], 5) as number)).toBeCloseTo(0.65, 12);
  expect(-bestOf(candidates)).toBeGreaterThan(0.67);
  expect((await trialLog(path, about)).trials[0]).toHaveProperty('ndcg');
});

test('it ends within any budget, with any number of workers', async () => {
  for (const [budget, workers] of [
    [26, 1],
    [100, 1],
    [100, 2],
    [333, 4],
  ]) {
    path += 'x';
    const { seconds } = await run({ budget }, workers);
    expect(seconds).toBeLessThanOrEqual(budget);
    expect(seconds).toBeGreaterThan(budget / 2);
  }
});

test('twice as long as the default takes is not too long, however small the budget', async () => {
  const { candidates } = await run({ budget: 100 });
  const slow = candidates.filter(({ outcomes }) => [...outcomes.values()].some((one) => 'slow' in one));
  expect(candidates.length).toBeGreaterThan(5);
  expect(slow.filter(({ recipe }) => Number(recipe.factors) <= 100)).toEqual([]);
});

test('without time for the default recipe nothing else is tried, and it may be tried later', async () => {
  const { candidates, tried } = await run({ budget: 7 });
  expect(tried).toEqual(['50 on 0', '50 on 1']);
  expect(candidates.map(({ outcomes }) => outcomes.size)).toEqual([1]);
  expect((await run({ budget: 60 })).candidates[0].outcomes.size).toBe(5);
});

describe('where one fold may be enough', () => {
  const fallsBack = true;
  const foldsOf = (tried: readonly string[]) => new Set(tried.map((trial) => trial.split(' on ')[1]));

  test('all are used if there is time for five recipes on them, judged by the first trial', async () => {
    const { folds, tried } = await run({ fallsBack });
    expect(folds).toBe(5);
    expect(tried.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((fold) => `50 on ${fold}`));
  });

  test.each([1, 2, 4])('else many recipes are tried on one, with %i workers', async (workers) => {
    const { folds, isSmall, tried, candidates, seconds } = await run(
      { fallsBack, budget: 100 / workers },
      workers,
    );
    expect([folds, isSmall]).toEqual([1, true]);
    expect(foldsOf(tried)).toEqual(new Set(['0']));
    expect(tried).toContain('50 on 0');
    expect(candidates.length).toBeGreaterThan(8);
    expect(seconds).toBeLessThanOrEqual(100 / workers);
    // The same search has nothing left to do.
    expect(await run({ fallsBack, budget: 100 / workers }, workers)).toMatchObject({ folds: 1, tried: [] });
  });

  test('a larger budget goes on with all, and with what was tried; a smaller one takes nothing away', async () => {
    const { tried: first } = await run({ fallsBack, budget: 100 });
    const { folds, tried, candidates } = await run({ fallsBack, budget: 600 });
    expect(folds).toBe(5);
    expect(tried.slice(0, 4)).toEqual([1, 2, 3, 4].map((fold) => `50 on ${fold}`));
    expect(candidates.reduce((sum, { outcomes }) => sum + outcomes.size, 0)).toBe(
      first.length + tried.length,
    );
    expect(await run({ fallsBack, budget: 1 })).toMatchObject({ folds: 5, tried: [] });
  });

  test('where the default recipe was stopped on its way through all, one counts', async () => {
    const { pool } = standIn();
    const controller = new AbortController();
    const log = await trialLog(path, about);
    const { folds, isSmall, candidates } = await search({
      ...{ pool, fixed, budget: 600, log, fallsBack, signal: controller.signal },
      onOutcome: ({ outcomes }) => outcomes.size === 3 && controller.abort(),
    });
    expect([folds, isSmall, candidates[0].outcomes.size]).toEqual([1, false, 3]);
    expect((await run({ fallsBack })).folds).toBe(5);
  });

  test('without time for the default recipe on one, there is nothing', async () => {
    const { folds, candidates } = await run({ fallsBack, budget: 4 });
    expect(folds).toBe(1);
    expect(candidates.map(({ outcomes }) => outcomes.size)).toEqual([0]);
  });
});

test('one seed gives one search', async () => {
  const first = await run();
  path += 'x';
  expect((await run()).tried).toEqual(first.tried);
  path += 'x';
  expect((await run({ fixed: { ...fixed, seed: 2 } })).tried).not.toEqual(first.tried);
});

test('ended at any trial, and even in the middle of a line, it goes on as if it had not been', async () => {
  const whole = await run();
  const lines = (await readFile(path, 'utf8')).split('\n');
  for (const kept of [1, 2, 5, 9, 40]) {
    path += 'x';
    await trialLog(path, about);
    await writeFile(path, `${lines.slice(0, kept).join('\n')}\n`);
    await appendFile(path, lines[kept].slice(0, 30));
    const { pool, tried, now } = standIn();
    const log = await trialLog(path, about);
    expect(log.trials).toHaveLength(kept - 1);
    const { candidates } = await search({ pool, fixed, budget: 600, log, now });
    expect(tried).toEqual(whole.tried.slice(kept - 1));
    expect(candidates).toEqual(whole.candidates);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(lines.length);
  }
});

test.each<[unknown]>([
  [{}],
  [[]],
  [{ number: '1', tried: {}, fold: 0, elapsed: 1 }],
  [{ number: 1, tried: {}, fold: 0.5, elapsed: 1 }],
  [{ number: 1, tried: {}, fold: 0 }],
  [{ number: 1, fold: 0, elapsed: 1 }],
  [{ number: 1, tried: null, fold: 0, elapsed: 1 }],
])('a log with the line %j is refused, and stays as it is', async (line) => {
  await run({ budget: 100 });
  const [first, second] = (await readFile(path, 'utf8')).split('\n');
  const text = [first, second, JSON.stringify(line), ''].join('\n');
  await writeFile(path, text);
  expect(await userError(trialLog(path, about))).toBe(
    `${path}, line 3: is not a trial; remove the line, or name another folder with \`out\``,
  );
  expect(await readFile(path, 'utf8')).toBe(text);
});

test('a larger budget goes on, one that is used up tries nothing', async () => {
  const { tried: first } = await run({ budget: 300 });
  expect((await run({ budget: 300 })).tried).toEqual([]);
  const { tried, candidates } = await run({ budget: 600 });
  expect(tried.length).toBeGreaterThan(5);
  expect(candidates.reduce((sum, { outcomes }) => sum + outcomes.size, 0)).toBe(first.length + tried.length);
});

test('what is being tried when it is stopped is lost, and nothing else', async () => {
  const controller = new AbortController();
  const { pool } = standIn();
  const stopping: Pick<TrialPool, 'folds' | 'workers' | 'run'> = {
    ...pool,
    run: (trial) => (controller.signal.aborted ? new Promise(() => {}) : pool.run(trial)),
  };
  const log = await trialLog(path, about);
  const { candidates } = await search({
    ...{ pool: stopping, fixed, budget: 600, log, signal: controller.signal },
    onOutcome: ({ number }) => number === 3 && controller.abort(),
  });
  expect(candidates.length).toBe(4);
  expect((await trialLog(path, about)).trials.length).toBeGreaterThanOrEqual(8);
});

test('what is done after it was stopped is neither told nor logged', async () => {
  const controller = new AbortController();
  const { pool } = standIn(2);
  let finish: () => void = () => undefined;
  const late = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const slow: SearchOptions['pool'] = {
    ...pool,
    run: async (trial) => {
      if (trial.fold === 1) await late;
      return pool.run(trial);
    },
  };
  const told: number[] = [];
  const log = await trialLog(path, about);
  const {
    candidates: [standard],
  } = await search({
    ...{ pool: slow, fixed, budget: 600, log, signal: controller.signal },
    onOutcome({ number }) {
      told.push(number);
      controller.abort();
    },
  });
  finish();
  await new Promise(setImmediate);
  expect(told).toEqual([0]);
  expect([...standard.outcomes.keys()]).toEqual([0]);
  expect((await trialLog(path, about)).trials).toHaveLength(1);
});

describe('errors', () => {
  test('a default that cannot be trained', async () => {
    expect(await userError(run({ fixed: { ...fixed, learningRate: 1 } }))).toBe(
      'the default recipe: diverged',
    );
  });

  test('a log of another search, or that is none', async () => {
    await trialLog(path, { ...about, data: 'a' });
    expect(await userError(trialLog(path, { model: 'mlp', valid: 0.2, data: 'b' }))).toBe(
      `${path}: belongs to another search: model was "dot-bias", is "mlp"; folds was 5, is not given; the ratings are different; valid was not given, is 0.2; give the same, or another folder with \`out\``,
    );
    const text = await readFile(path, 'utf8');
    for (const line of ['oops', 'null', '1']) {
      await writeFile(path, `${text}${line}\n`);
      expect(await userError(trialLog(path, about))).toBe(
        `${path}, line 2: is not a JSON object; remove the line, or name another folder with \`out\``,
      );
    }
    await writeFile(join(folder.path, 'file'), '');
    expect(await userError(trialLog(join(folder.path, 'file', 'trials.jsonl'), about))).toMatch(
      /cannot be (read|made) \(\w+\)/,
    );
  });
});

test('a fingerprint tells ratings apart', async () => {
  const ratings = lowRank();
  expect(await fingerprint(ratings)).toBe(await fingerprint(lowRank()));
  const reversed = new Ratings({ ...ratings, ratings: ratings.ratings.toReversed() });
  expect(await fingerprint(reversed)).not.toBe(await fingerprint(ratings));
  expect(await fingerprint(ratings, reversed)).not.toBe(await fingerprint(ratings));
});
