/** The data sets of the comparison. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { generator, shuffled } from '../../src/util/random.ts';
import { type Synthetic, writeSynthetic } from '../../test/support/synthetic.ts';

export interface DataSet {
  readonly name: string;
  readonly train: string;
  readonly test: string;
  /** Number of ratings for training. */
  readonly ratings: number;
  readonly heldOut: number;
  readonly isLarge: boolean;
  /** RMSE of the model that made the ratings: the lowest that can be expected. */
  readonly noise?: number;
}

const SYNTHETIC: Readonly<Record<string, { ratings: number; users: number; items: number }>> = {
  '1m': { ratings: 1e6, users: 10_000, items: 2_000 },
  '10m': { ratings: 10e6, users: 100_000, items: 20_000 },
  '30m': { ratings: 30e6, users: 100_000, items: 20_000 },
};

export const setNames = ['ml-100k', 'ml-latest-small', ...Object.keys(SYNTHETIC)];

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
export const SAMPLE = path('../../src/data/sample/ml-latest-small/ratings.csv.gz');

/**
 * @param movieLens the folder with `u1.base` and `u1.test`
 * @throws the reason why the data set is not available
 */
export async function dataSet(name: string, movieLens: string, scratch: string): Promise<DataSet> {
  if (name in SYNTHETIC) return synthetic(name);
  const [train, test] =
    name === 'ml-100k'
      ? ['u1.base', 'u1.test'].map((file) => join(movieLens, file))
      : await fifthHeldOut(scratch);
  const [ratings, heldOut] = [await countRatings(train), await countRatings(test)];
  return { name, train, test, ratings, heldOut, isLarge: false };
}

async function fifthHeldOut(scratch: string): Promise<string[]> {
  const sample = gunzipSync(await readFile(SAMPLE));
  const [header, ...lines] = linesOf(sample.toString());
  const order = shuffled(lines.length, generator(1));
  const border = Math.floor(lines.length / 5);
  const parts = { train: order.subarray(border), test: order.subarray(0, border) };
  return Promise.all(
    Object.entries(parts).map(async ([name, indices]) => {
      const file = join(scratch, `${name}.csv`);
      await writeFile(file, [header, ...Array.from(indices, (index) => lines[index]), ''].join('\n'));
      return file;
    }),
  );
}

async function countRatings(file: string): Promise<number> {
  if (!existsSync(file)) throw new Error(`no ${file}: give the folder of MovieLens 100K with --data`);
  const lines = linesOf(await readFile(file, 'utf8')).length;
  return file.endsWith('.csv') ? lines - 1 : lines;
}

const linesOf = (text: string): string[] => text.trimEnd().split('\n');

/** Made once and kept in the folder for temporary files, until the generator changes. */
async function synthetic(name: string): Promise<DataSet> {
  const options = { ...SYNTHETIC[name], seed: 1 };
  const version = createHash('sha256')
    .update(await readFile(path('../../test/support/synthetic.ts')))
    .update(JSON.stringify(options))
    .digest('hex');
  const folder = join(tmpdir(), 'cofactor-bench-data', `${name}-${version.slice(0, 8)}`);
  // This file is written last, so it marks a complete data set.
  const facts = join(folder, 'facts.json');
  if (!existsSync(facts)) {
    console.error(`making ${name} in ${folder}`);
    await writeSynthetic(folder, options);
  }
  const { train, test, ratings, heldOut, noise }: Synthetic = JSON.parse(await readFile(facts, 'utf8'));
  return { name, train, test, ratings, heldOut, isLarge: true, noise };
}
