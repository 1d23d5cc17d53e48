/** Compares the answers of a model, and their times, in the page and in Node. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { load, train } from '../../../src/index.ts';
import type * as Web from '../../../src/web.ts';
import { openPage } from './browser.ts';
import { MODELS, median, RECIPE, splitOf } from './training.ts';

const VISITS = 5;
const PAIRS = 5000;

declare const library: typeof Web;

/** Milliseconds. */
export interface AskingRow {
  readonly head: string;
  readonly where: 'page' | 'Node';
  /** Time to fetch and open the model; in the page also ONNX Runtime. */
  readonly load: number;
  readonly first: number;
  readonly median: number;
}

const QUESTIONS = {
  ratings: Array.from({ length: 20 }, (_, index) => ({ item: `${index + 1}`, rating: 1 + (index % 5) })),
  user: '1',
  /** A page's clock has a resolution of 0.1 ms, so ten calls are timed together. */
  calls: 10,
  rounds: 21,
};

/** Also runs in the page, so it uses only its arguments. */
async function ask(
  open: (head: string) => Promise<Pick<Web.Recommender, 'foldIn' | 'recommend'>>,
  head: string,
  { ratings, user, calls, rounds }: typeof QUESTIONS,
): Promise<Omit<AskingRow, 'where'>> {
  const started = performance.now();
  const recommender = await open(head);
  const opened = performance.now();
  const call = () =>
    head === 'fold-in' ? recommender.foldIn(ratings, { k: 10 }) : recommender.recommend([user], { k: 10 });
  await call();
  const first = performance.now() - opened;
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    for (let turn = 0; turn < calls; turn++) await call();
    times.push((performance.now() - begun) / calls);
  }
  return { head, load: opened - started, first, median: times.sort((a, b) => a - b)[rounds >> 1] };
}

/** @param model a folder that is served at `url` under `/model/` */
export async function measureAsking(browser: Browser, url: string, model: string): Promise<AskingRow[]> {
  const rows: AskingRow[] = [];
  for (const head of ['fold-in', 'recommend']) {
    const inPage: AskingRow[] = [];
    const inNode: AskingRow[] = [];
    for (let visit = 0; visit < VISITS; visit++) {
      const page = await openPage(browser, url);
      const answer = await page.evaluate(
        ({ source, head, questions }) => {
          // The same function as in Node.
          const run: typeof ask = new Function(`return ${source}`)();
          return run((name) => library.load('/model/', { heads: [name] }), head, questions);
        },
        { source: ask.toString(), head, questions: QUESTIONS },
      );
      inPage.push({ where: 'page', ...answer });
      await page.context().close();
      inNode.push({
        where: 'Node',
        ...(await ask((name) => load(model, { heads: [name] }), head, QUESTIONS)),
      });
    }
    for (const visits of [inPage, inNode]) {
      const [load, first, middle] = (['load', 'first', 'median'] as const).map((key) =>
        median(visits.map((row) => row[key])),
      );
      rows.push({ head, where: visits[0].where, load, first, median: middle });
    }
  }
  return rows;
}

export interface EqualityRow {
  readonly model: string;
  readonly pairs: number;
  readonly largestDifference: number;
}

/** @param folder what is served at `url` under `/models/` */
export async function measureEquality(
  browser: Browser,
  url: string,
  folder: string,
  file: string,
): Promise<EqualityRow[]> {
  const { train: ratings, valid } = await splitOf(file);
  const { factors, epochs, batchSize, seed } = RECIPE;
  const indices = Array.from({ length: Math.min(PAIRS, valid.users.length) }, (_, index) => index);
  // Rows after the last stand for ids that the model does not know.
  const users = indices.map((index) => ratings.userIds[valid.users[index]] ?? 'nobody');
  const items = indices.map((index) => ratings.itemIds[valid.items[index]] ?? 'nothing');
  const rows: EqualityRow[] = [];
  for (const model of MODELS) {
    await (await train(ratings, { model, factors, epochs, batchSize, seed })).save(join(folder, model));
    const expected = await (await load(join(folder, model))).predict(users, items);
    const page = await openPage(browser, url);
    const predicted = await page.evaluate(
      async ({ model, users, items }) => {
        const recommender = await library.load(`/models/${model}/`, { private: true });
        return [...(await recommender.predict(users, items))];
      },
      { model, users, items },
    );
    await page.context().close();
    const differences = predicted.map((rating, at) => Math.abs(rating - expected[at]));
    rows.push({ model, pairs: predicted.length, largestDifference: Math.max(...differences) });
  }
  return rows;
}
