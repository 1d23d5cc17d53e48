/**
 * Compares the models' errors with those of damped means, and with those of another checkout, on dense and sparse sets of
 * ratings; see docs/benchmarks.md.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { bootstrap, type Interval } from '../../src/evaluate/bootstrap.ts';
import { type ErrorSums, errorSums } from '../../src/evaluate/errors.ts';
import { metrics } from '../../src/evaluate/metrics.ts';
import type { ProgramRecipe } from '../../src/train/recipe/recipe.ts';
import { generator, shuffled } from '../../src/util/random.ts';
import { describeMachine } from './machine.ts';
import { writeResult } from './result.ts';
import { markdownTable } from './table.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: path('../../../shared/data') },
    sets: { type: 'string', default: 'filmtrust,bookx,ciaodvd,ml-100k,ml-latest-small' },
    models: { type: 'string', default: 'dot-bias,mlp' },
    recipe: { type: 'string', default: '{}' },
    folds: { type: 'string', default: '1,2,3,4,5' },
    seeds: { type: 'string', default: '1' },
    old: { type: 'string' },
    // Splits the training part of each fold again: to choose settings.
    inner: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
});

interface Split {
  readonly train: Ratings;
  readonly valid: Ratings;
}

const SETS = options.sets.split(',');
const numbers = (text: string): number[] => text.split(',').map(Number);

/** The folds of a set: `u1` to `u5`, the column `fold` of a sparse set, or random fifths with seed 1. */
async function splitsOf(set: string): Promise<Split[]> {
  if (set === 'ml-100k')
    return Promise.all(
      [1, 2, 3, 4, 5].map(async (fold) => {
        const [train, valid] = await Promise.all(
          ['base', 'test'].map((part) => rowsOf(join(options.data, set, `u${fold}.${part}`), '\t')),
        );
        return split(train, valid);
      }),
    );
  if (set === 'ml-latest-small') {
    const rows = await rowsOf(join(options.data, set, 'ratings.csv'), ',');
    const order = shuffled(rows.length, generator(1));
    const fifth = (fold: number) => (_: unknown, index: number) => order[index] % 5 === fold;
    return [0, 1, 2, 3, 4].map((fold) =>
      split(
        rows.filter((row, index) => !fifth(fold)(row, index)),
        rows.filter(fifth(fold)),
      ),
    );
  }
  const rows = await rowsOf(join(options.data, 'sparse', `${set}.csv`), ',');
  return ['1', '2', '3', '4', '5'].map((fold) =>
    split(
      rows.filter((row) => row[3] !== fold),
      rows.filter((row) => row[3] === fold),
    ),
  );
}

async function rowsOf(file: string, delimiter: string): Promise<string[][]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const rows = lines.map((line) => line.trim().split(delimiter));
  return Number.isNaN(Number(rows[0][2])) ? rows.slice(1) : rows;
}

/** Ratings with the ids of the training part; an id that is only in the other part is the unknown row. */
function split(train: readonly string[][], valid: readonly string[][]): Split {
  const ids = [0, 1].map((column) => [...new Set(train.map((row) => row[column]))]);
  const rows = ids.map((all) => new Map(all.map((id, row) => [id, row])));
  const parts = (of: readonly string[][]) => {
    const [users, items] = [0, 1].map((column) =>
      Int32Array.from(of, (row) => rows[column].get(row[column]) ?? ids[column].length),
    );
    return new Ratings({
      ...{ users, items, userIds: ids[0], itemIds: ids[1] },
      ratings: Float32Array.from(of, (row) => Number(row[2])),
      unknown: { users: 1, items: 1 },
    });
  };
  return { train: new Ratings({ ...parts(train), unknown: undefined }), valid: parts(valid) };
}

/** Four fifths of the training part, and the rest of it. */
function inside({ train }: Split, seed: number): Split {
  return randomSplit(train, 0.2, seed);
}

type Library = typeof import('../../src/index.ts');

async function predictions(
  library: Library,
  { train, valid }: Split,
  recipe: ProgramRecipe,
): Promise<Float32Array> {
  const fitted = await library.train(train, recipe);
  const recommender = await fitted.recommender();
  const idsOf = (rows: Int32Array, ids: readonly string[]) => Array.from(rows, (row) => ids[row] ?? '');
  return recommender.predict(idsOf(valid.users, valid.userIds), idsOf(valid.items, valid.itemIds));
}

/** Sums of errors of the users of all folds. */
type Sums = readonly ErrorSums[];

interface Judged {
  readonly rmse: number;
  readonly mae: number;
  readonly sums: Sums;
}

const checkouts: Readonly<Record<string, Library>> = {
  '': await import('../../src/index.ts'),
  ...(options.old && { ' before': await import(pathToFileURL(join(options.old, 'src/index.ts')).href) }),
};
const { dampedMeans } = await import('../../src/evaluate/damped-means.ts');

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

async function judge(
  splits: readonly Split[],
  predict: (split: Split, seed: number) => Promise<Float32Array>,
): Promise<Judged> {
  const all: { rmse: number; mae: number; sums: ErrorSums }[] = [];
  for (const seed of numbers(options.seeds))
    for (const one of splits) {
      const predicted = await predict(one, seed);
      const { users, userIds, ratings } = one.valid;
      all.push({
        ...metrics(predicted, ratings),
        sums: errorSums(predicted, ratings, users, userIds.length + 1),
      });
    }
  return {
    rmse: mean(all.map(({ rmse }) => rmse)),
    mae: mean(all.map(({ mae }) => mae)),
    sums: all.map(({ sums }) => sums),
  };
}

/** The 95 % intervals of the differences in RMSE and in MAE, over the users of all folds. */
function intervals(one: Sums, other: Sums): readonly Interval[] {
  const column = (sums: Sums, key: keyof ErrorSums) =>
    Float64Array.from(sums.flatMap((part) => [...part[key]]));
  const counts = column(one, 'counts');
  const columns = [
    column(one, 'squares'),
    column(other, 'squares'),
    column(one, 'sizes'),
    column(other, 'sizes'),
    counts,
  ];
  const ofUsers = columns.map((values) => values.filter((_, user) => counts[user] > 0));
  return bootstrap(ofUsers, ([squares, others, sizes, otherSizes, count]) => [
    Math.sqrt(squares / count) - Math.sqrt(others / count),
    (sizes - otherSizes) / count,
  ]);
}

const rows: string[][] = [];
for (const set of SETS) {
  const wanted = numbers(options.folds);
  const found = (await splitsOf(set)).filter((_, index) => wanted.includes(index + 1));
  const splits = options.inner ? found.map((one, index) => inside(one, 100 + index)) : found;
  const means = await judge(splits, async ({ train, valid }) =>
    dampedMeans(train).predict(valid.users, valid.items),
  );
  const add = (name: string, judged: Judged): void => {
    const signed = (value: number): string => `${value > 0 ? '+' : ''}${value.toFixed(4)}`;
    const difference = intervals(judged.sums, means.sums).map((interval) =>
      interval.map(signed).join(' to '),
    );
    rows.push([
      set,
      name,
      judged.rmse.toFixed(4),
      judged.mae.toFixed(4),
      ...(judged === means ? ['', ''] : difference),
    ]);
    console.error(rows.at(-1)?.join('  '));
  };
  add('damped means', means);
  for (const model of options.models.split(','))
    for (const [name, library] of Object.entries(checkouts)) {
      const recipe = { model, objective: 'rating', ...(name === '' && JSON.parse(options.recipe)) };
      add(
        `${model}${name}`,
        await judge(splits, (one, seed) => predictions(library, one, { ...recipe, seed })),
      );
    }
}
const columns = [
  'set',
  'predictor',
  'RMSE',
  'MAE',
  'RMSE less that of damped means',
  'MAE less that of damped means',
];
console.log(markdownTable([columns, ...rows]));
if (options.save)
  await writeResult('rating-sets', {
    command: `npm run bench:rating-sets -- --seeds ${options.seeds}${options.old ? ' --old CHECKOUT' : ''}`,
    machine: describeMachine(),
    columns,
    rows,
  });
