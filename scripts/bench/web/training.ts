/** Trains the same model on the same split in the page and in Node. */
import { basename } from 'node:path';
import type { Browser } from 'playwright-core';
import { randomSplit, readRatings, type Split, train } from '../../../src/index.ts';
import type * as Web from '../../../src/web.ts';
import { openPage } from './browser.ts';

export const RECIPE = { factors: 50, epochs: 5, batchSize: 64, seed: 1, valid: 0.2 };
export const MODELS = ['dot-bias', 'mlp'] as const;
const RUNS = 3;

export interface TrainingRow {
  readonly model: string;
  readonly where: 'page' | 'Node';
  /** Seconds of training, including a validation after each epoch. */
  readonly seconds: number;
  /** Seconds including the start of the worker, reading the file and building the model. */
  readonly whole: number;
  readonly rmse: number;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1];

declare const library: typeof Web;

export async function measureTraining(browser: Browser, url: string, file: string): Promise<TrainingRow[]> {
  const rows: TrainingRow[] = [];
  for (const model of MODELS) {
    const runs: TrainingRow[] = [];
    // By turns, so that other load on the machine affects both alike.
    for (let run = 0; run < RUNS; run++) {
      runs.push(await inPage(browser, url, file, model), await inNode(file, model));
      for (const { where, seconds } of runs.slice(-2))
        console.error(`${model} in the ${where}: ${seconds.toFixed(2)} s`);
    }
    for (const where of ['page', 'Node'] as const) {
      const ofPlace = runs.filter((row) => row.where === where);
      const [{ rmse }] = ofPlace;
      const [seconds, whole] = (['seconds', 'whole'] as const).map((key) =>
        median(ofPlace.map((row) => row[key])),
      );
      rows.push({ model, where, seconds, whole, rmse });
    }
  }
  return rows;
}

async function inPage(
  browser: Browser,
  url: string,
  file: string,
  model: (typeof MODELS)[number],
): Promise<TrainingRow> {
  const page = await openPage(browser, url);
  const { valid, ...recipe } = RECIPE;
  const trained = await page.evaluate(
    async ({ name, recipe, valid }) => {
      const ratings = await (await fetch(`/data/${name}`)).blob();
      const started = performance.now();
      const { artifact, seconds } = await library.train(ratings, recipe, { valid });
      const whole = (performance.now() - started) / 1000;
      return { seconds, whole, rmse: artifact.manifest.metrics.valid?.rmse };
    },
    { name: basename(file), recipe: { ...recipe, model }, valid },
  );
  await page.context().close();
  return { model, where: 'page', ...trained, rmse: trained.rmse ?? Number.NaN };
}

async function inNode(file: string, model: (typeof MODELS)[number]): Promise<TrainingRow> {
  const { factors, epochs, batchSize, seed } = RECIPE;
  const started = performance.now();
  const { train: ratings, valid } = await splitOf(file);
  const trained = await train(ratings, { model, factors, epochs, batchSize, seed }, { valid });
  const whole = (performance.now() - started) / 1000;
  const rmse = trained.metrics.valid?.rmse ?? Number.NaN;
  return { model, where: 'Node', seconds: trained.seconds.train, whole, rmse };
}

export async function splitOf(file: string): Promise<Split> {
  return randomSplit((await readRatings(file)).ratings, RECIPE.valid, RECIPE.seed);
}
