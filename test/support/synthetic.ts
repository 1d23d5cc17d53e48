/** Ratings by a known model with noise, so that it is known how small an error can be. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBDataChunk, DuckDBInstance, FLOAT, INTEGER } from '@duckdb/node-api';
import { generator, normals, shuffled, uniforms } from '../../src/util/random.ts';

export interface SyntheticOptions {
  /** About as many for training; a tenth as many are held out. */
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  readonly seed?: number;
}

export interface Synthetic {
  readonly train: string;
  readonly test: string;
  readonly ratings: number;
  readonly heldOut: number;
  /** The root mean square error of the rating that is to be expected of each pair, on what is held out. */
  readonly noise: number;
  /** That of the mean rating. */
  readonly ofMean: number;
}

const FACTORS = 4;
/** Standard deviations, in stars: of a bias, of the product of factors, of the noise. */
const BIAS = 0.4;
const AFFINITY = 0.5;
const NOISE = 0.7;
const MEAN = 3.5;
/** Halves of a star. */
const [LOWEST, HIGHEST] = [1, 10];
/** Rows in a chunk of DuckDB. */
const CHUNK = 2048;
const COLUMNS = { user: INTEGER, item: INTEGER, rating: FLOAT };

/**
 * Writes `train.parquet` and `test.parquet`: user, item, rating.
 *
 * A rating is the mean, a bias a user and an item, the product of four factors, and normal noise, in half stars from 0.5
 * to 5. How active users are is log-normal; how popular items are falls with a power of their rank, as in MovieLens, where
 * the first is rated by a third of all users. Nobody rates an item twice.
 */
export async function writeSynthetic(
  folder: string,
  { ratings, users, items, seed = 1 }: SyntheticOptions,
): Promise<Synthetic> {
  await mkdir(folder, { recursive: true });
  const random = generator(seed, -2);
  const spread = Math.sqrt(AFFINITY / Math.sqrt(FACTORS));
  const [userFactors, itemFactors] = [users, items].map((rows) => normals(rows * FACTORS, spread, random));
  const [userBias, itemBias] = [users, items].map((rows) => normals(rows, BIAS, random));
  const itemIds = shuffled(items, random);
  const drawItem = popularItems(items);
  const activity = normals(users, 1, random).map(Math.exp);
  const scale = (1.1 * ratings) / activity.reduce((sum, one) => sum + one, 0);

  const instance = await DuckDBInstance.create(':memory:', { temp_directory: join(folder, 'tmp') });
  const connection = await instance.connect();
  const tables = { train: await table('train'), test: await table('test') };
  const ratedBy = new Int32Array(items).fill(-1);
  let squares = 0;
  let sum = 0;
  let sumOfSquares = 0;
  for (let user = 0; user < users; user++) {
    const wanted = Math.min(items >> 1, Math.max(5, Math.round(activity[user] * scale)));
    const noise = normals(wanted, NOISE, random);
    const draws = uniforms(wanted, random);
    for (let index = 0; index < wanted; index++) {
      let item: number;
      do item = drawItem((random.next() >>> 0) * 2 ** -32);
      while (ratedBy[item] === user);
      ratedBy[item] = user;
      let score = MEAN + userBias[user] + itemBias[item];
      for (let factor = 0; factor < FACTORS; factor++)
        score += userFactors[user * FACTORS + factor] * itemFactors[item * FACTORS + factor];
      const rating = Math.min(HIGHEST, Math.max(LOWEST, Math.round(2 * (score + noise[index])))) / 2;
      if (draws[index] * 11 >= 1) {
        tables.train.add(user + 1, itemIds[item] + 1, rating);
        continue;
      }
      tables.test.add(user + 1, itemIds[item] + 1, rating);
      squares += (rating - expected(score)) ** 2;
      sum += rating;
      sumOfSquares += rating ** 2;
    }
  }
  const [train, test] = [await tables.train.write(), await tables.test.write()];
  connection.closeSync();
  instance.closeSync();
  const heldOut = tables.test.count();
  const facts: Synthetic = {
    train,
    test,
    ratings: tables.train.count(),
    heldOut,
    noise: Math.sqrt(squares / heldOut),
    ofMean: Math.sqrt(sumOfSquares / heldOut - (sum / heldOut) ** 2),
  };
  await writeFile(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
  return facts;

  async function table(name: string) {
    await connection.run(`CREATE TABLE ${name} (user INTEGER, item INTEGER, rating FLOAT)`);
    const appender = await connection.createAppender(name);
    const chunk = DuckDBDataChunk.create(Object.values(COLUMNS), CHUNK);
    const columns = Object.keys(COLUMNS).map((_, column) => chunk.getColumnVector(column));
    const [userColumn, itemColumn, ratingColumn] = columns.map(
      (column) => (column as unknown as { items: Int32Array | Float32Array }).items,
    );
    let filled = 0;
    let count = 0;
    const flush = (): void => {
      chunk.rowCount = filled;
      for (const column of columns) column.flush();
      appender.appendDataChunk(chunk);
      chunk.rowCount = CHUNK;
      filled = 0;
    };
    return {
      count: () => count,
      add(user: number, item: number, rating: number): void {
        userColumn[filled] = user;
        itemColumn[filled] = item;
        ratingColumn[filled] = rating;
        count++;
        if (++filled === CHUNK) flush();
      },
      async write(): Promise<string> {
        if (filled > 0) flush();
        appender.closeSync();
        const file = join(folder, `${name}.parquet`);
        await connection.run(`COPY ${name} TO '${file.replaceAll("'", "''")}' (FORMAT parquet)`);
        return file;
      },
    };
  }
}

/** From a number in [0, 1) to an item, the first the most often. */
function popularItems(items: number): (uniform: number) => number {
  const cumulative = new Float64Array(items + 1);
  for (let item = 0; item < items; item++)
    cumulative[item + 1] = cumulative[item] + (item + items / 1000) ** -0.8;
  const total = cumulative[items];
  // Where to begin the search, by the first bits of the number.
  const starts = new Int32Array(items + 1);
  for (let item = 0, start = 0; start <= items; start++) {
    while (item < items && cumulative[item + 1] <= (start / items) * total) item++;
    starts[start] = item;
  }
  return (uniform) => {
    let item = starts[Math.floor(uniform * items)];
    while (cumulative[item + 1] <= uniform * total) item++;
    return item;
  };
}

/** The mean rating of a score, over the noise. */
function expected(score: number): number {
  // The mean is what lies above each border between two ratings.
  let mean = LOWEST;
  for (let half = LOWEST; half < HIGHEST; half++) mean += above((half + 0.5) / 2 - score);
  return mean / 2;
}

const ABOVE = Float64Array.from({ length: 20_001 }, (_, at) => normalAbove((at - 10_000) / 1000));

/** How likely the noise is above some stars. */
function above(stars: number): number {
  const at = Math.min(20_000, Math.max(0, (stars / NOISE) * 1000 + 10_000));
  const low = Math.min(19_999, Math.floor(at));
  return ABOVE[low] + (ABOVE[low + 1] - ABOVE[low]) * (at - low);
}

/** 1 − Φ(x), by the trapezoid rule. */
function normalAbove(x: number): number {
  const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  if (x < 0) return 1 - normalAbove(-x);
  const steps = 200;
  const width = 10 / steps;
  let area = density(x) / 2;
  for (let step = 1; step < steps; step++) area += density(x + step * width);
  return area * width;
}
