import { copyFile, cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { load, type Recommender, readRatings, train } from '../../src/index.ts';
import type * as Web from '../../src/web.ts';
import { browserTests, staticHost } from '../support/browser.ts';
import { sample, temporaryFolder } from '../support/files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const wasm = 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';
const trainingApi = [
  'ort.training.wasm.min.mjs',
  'ort-training-wasm-simd-threaded.mjs',
  'ort-training-wasm-simd-threaded.wasm',
];
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.path, ...names);
const host = staticHost(() => ({ '/': at('site/'), '/models/': at('models/') }));
const inBrowser = browserTests();
const models = ['dot-bias', 'mlp'] as const;

/** Pairs of known and of unknown ids. */
let pairs: { users: string[]; items: string[] };
const recommenders = new Map<string, Recommender>();

beforeAll(async () => {
  const text = gunzipSync(await readFile(join(root, sample, 'ratings.csv.gz'))).toString();
  const some = text.split('\n').slice(0, 12_001).join('\n');
  await mkdir(at('site'));
  await folder.write('site/ratings.csv', `${some}\n`);
  await folder.write('site/index.html', '<!doctype html><title>Plain</title>');
  await cp(join(root, 'dist/standalone'), at('site/cofactor'), { recursive: true });
  await copyFile(join(root, wasm), at('site/cofactor/ort-wasm-simd-threaded.wasm'));
  await mkdir(at('site/training'));
  for (const name of trainingApi)
    await copyFile(join(root, 'node_modules/onnxruntime-training/dist', name), at('site/training', name));
  const { ratings } = await readRatings(at('site/ratings.csv'));
  for (const name of models) {
    const fitted = await train(ratings, { model: name, factors: 8, epochs: 1 });
    await fitted.save(at('models', name), { precision: name === 'mlp' ? 'int8' : 'float32' });
    recommenders.set(name, await load(at('models', name)));
  }
  const { userIds, itemIds } = ratings;
  const items = [...itemIds.slice(0, 2000), 'unheard of'];
  pairs = { items, users: items.map((_, at) => (at % 50 === 0 ? 'nobody' : userIds[at % userIds.length])) };
});

const opened = async (context: BrowserContext): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(host.url);
  return page;
};

declare const library: typeof Web;

/** Runs in the page, which gets at the library as `library`. */
const withLibrary = async (page: Page): Promise<void> => {
  await page.addScriptTag({
    type: 'module',
    content: `import * as library from '/cofactor/web.js'; window.library = library;`,
  });
  await page.waitForFunction('window.library');
};

for (const model of models) {
  inBrowser(`a plain page answers as Node does, from the same bytes: ${model}`, async (context) => {
    const page = await opened(context);
    await withLibrary(page);
    const answers = await page.evaluate(
      async ({ model, users, items }) => {
        const recommender = await library.load(`models/${model}`, { private: true });
        const own = items.slice(0, 20).map((item, at) => ({ item, rating: 1 + (at % 5) }));
        return {
          predicted: [...(await recommender.predict(users, items))],
          recommended: await recommender.recommend(users.slice(0, 5)),
          similar: await recommender.similar(items.slice(0, 5)),
          folded: (await recommender.foldIn(own)).recommended,
          items: recommender.items.slice(0, 5),
        };
      },
      { model, ...pairs },
    );
    const recommender = recommenders.get(model) as Recommender;
    const { users, items } = pairs;
    const predicted = await recommender.predict(users, items);
    const differences = answers.predicted.map((rating, at) => Math.abs(rating - predicted[at]));
    expect(Math.max(...differences)).toBeLessThan(1e-5);
    const own = items.slice(0, 20).map((item, at) => ({ item, rating: 1 + (at % 5) }));
    const names = (list: readonly { item: string }[]) => list.map(({ item }) => item);
    expect(answers.recommended.map(names)).toEqual(
      (await recommender.recommend(users.slice(0, 5))).map(names),
    );
    expect(answers.similar.map(names)).toEqual((await recommender.similar(items.slice(0, 5))).map(names));
    expect(names(answers.folded)).toEqual(names((await recommender.foldIn(own)).recommended));
    expect(answers.items).toEqual(recommender.items.slice(0, 5));
  });

  inBrowser(`a page trains what Node trains: ${model}`, async (context) => {
    const page = await opened(context);
    await withLibrary(page);
    const trained = await page.evaluate(async (model) => {
      const file = new File([await (await fetch('ratings.csv')).blob()], 'ratings.csv');
      const told: { read: unknown; progress: Web.Progress[] } = { read: undefined, progress: [] };
      const trained = await library.train(
        file,
        { model, factors: 8, epochs: 2 },
        {
          valid: 0.2,
          onRead: (summary) => {
            told.read = summary;
          },
          onProgress: (progress) => told.progress.push(progress),
        },
      );
      const rating = await (await trained.recommender()).predict('1', '1');
      return { ...told, manifest: trained.artifact.manifest, rating };
    }, model);
    const recipe = { model, factors: 8, epochs: 2 };
    const { ratings, valid, report } = await readRatings(at('site/ratings.csv'), { valid: 0.2 });
    if (!valid) return expect.fail('nothing is held out');
    const trial = await train(ratings, recipe, { valid });
    const expected = await trial.judge(valid);
    const { judged } = trained.manifest;
    const rmse = judged?.rating?.model.rmse ?? 0;
    expect(Math.abs(rmse - (expected.rating?.model.rmse ?? 0))).toBeLessThan(1e-3);
    const { ratings: all } = await readRatings(at('site/ratings.csv'));
    const inNode = await train(all, { ...recipe, ...trial.epochs });
    const { manifest } = await inNode.artifact({ noun: report.noun });
    expect(trained.manifest.data).toEqual(manifest.data);
    expect(trained.manifest.training).toEqual(manifest.training);
    expect(trained.read).toMatchObject({ ...report, low: 0.5, high: 5, heldOut: valid?.ratings.length });
    expect(report.ratings).toBe(12_000);
    const [ofRatings, ofRanking] = (['rating', 'ranking'] as const).map((objective) =>
      trained.progress.findLast((progress) => progress.objective === objective),
    );
    expect(ofRatings).toMatchObject({ phase: 'training', done: all.ratings.length });
    expect(ofRanking).toMatchObject({ phase: 'training', done: ofRanking?.ratings });
    expect(trained.progress[0]).toMatchObject({ phase: 'judging' });
    expect(trained.progress.at(-1)).toBe(ofRanking);
    const [ndcg, ofNode] = [judged, expected].map((one) => one?.ranking?.model.ndcg ?? 0);
    expect(Math.abs(ndcg - ofNode)).toBeLessThan(0.01);
    expect(trained.manifest.ranking?.training).toEqual(manifest.ranking?.training);
    const [rating] = await (await inNode.recommender()).predict(['1'], ['1']);
    expect(trained.rating).toBeCloseTo(rating, 2);
  });
}

for (const model of models)
  inBrowser(`a page trains to rank, and recommends what Node recommends: ${model}`, async (context) => {
    const page = await opened(context);
    await withLibrary(page);
    const { ratings } = await readRatings(at('site/ratings.csv'));
    const people = ratings.userIds.slice(0, 20);
    const own = Array.from(ratings.itemIds.slice(0, 20), (item, at) => ({ item, rating: 1 + (at % 5) }));
    const recipe = { model, objective: 'ranking', factors: 8, epochs: 2 } as const;
    const inPage = await page.evaluate(
      async ({ recipe, people, own }) => {
        const file = new File([await (await fetch('ratings.csv')).blob()], 'ratings.csv');
        const progress: Web.Progress[] = [];
        const trained = await library.train(file, recipe, {
          seen: true,
          onProgress: (one) => progress.push(one),
        });
        const recommender = await trained.recommender();
        return {
          progress,
          manifest: trained.artifact.manifest,
          recommended: await recommender.recommend(people, { k: 50 }),
          folded: (await recommender.foldIn(own, { k: 50 })).recommended,
        };
      },
      { recipe, people, own },
    );
    expect(inPage.manifest.training.objective).toBe('ranking');
    expect(inPage.progress.every(({ objective }) => objective === 'ranking')).toBe(true);
    expect(inPage.progress.length).toBeGreaterThanOrEqual(2);
    const last = inPage.progress.at(-1);
    expect(last).toMatchObject({ epoch: 1, epochs: 2, done: last?.ratings });
    const inNode = await train(ratings, recipe);
    expect(inPage.manifest.history.at(-1)?.loss).toBeCloseTo(inNode.history.at(-1)?.loss ?? 0, 4);
    const recommender = await inNode.recommender({ seen: true });
    const expected = await recommender.recommend(people, { k: 50 });
    const pairs = [
      ...inPage.recommended.map((list, at) => [list, expected[at]] as const),
      [inPage.folded, (await recommender.foldIn(own, { k: 50 })).recommended] as const,
    ];
    // Compared with the first of a list: no loss of rankings fixes the level of all scores, which in a perceptron's last bias
    // drifts with rounding.
    for (const [list, other] of pairs) {
      const scores = new Map(other.map(({ item, score }) => [item, score - other[0].score]));
      const last = other[other.length - 1].score - other[0].score;
      for (const [rank, shown] of list.entries()) {
        const score = shown.score - list[0].score;
        expect(shown.rating).toBeUndefined();
        expect(Math.abs(score - (other[rank].score - other[0].score))).toBeLessThan(1e-3);
        // Only items whose scores are the same within rounding change places, or come in at the end.
        expect(Math.abs(score - (scores.get(shown.item) ?? last))).toBeLessThan(1e-3);
      }
    }
  });

for (const model of models)
  inBrowser(`a page trains by ONNX Runtime’s training API, as Node does: ${model}`, async (context) => {
    const page = await opened(context);
    await withLibrary(page);
    const { manifest, rating } = await page.evaluate(async (model) => {
      const file = new File([await (await fetch('ratings.csv')).blob()], 'ratings.csv');
      const recipe = { model, factors: 8, epochs: 1 };
      const trained = await library.train(file, recipe, { ortTraining: 'training/' });
      const rating = await (await trained.recommender()).predict('1', '1');
      return { manifest: trained.artifact.manifest, rating };
    }, model);
    const { ratings } = await readRatings(at('site/ratings.csv'));
    const inNode = await train(ratings, { model, factors: 8, epochs: 1, engine: 'ort-training' });
    expect(manifest.training).toEqual(inNode.plan.training);
    expect(manifest.training.engine).toBe('ort-training');
    expect(manifest.history[0].loss).toBeCloseTo(inNode.history[0].loss, 5);
    const [expected] = await (await inNode.recommender()).predict(['1'], ['1']);
    expect(rating).toBeCloseTo(expected, 3);
  });

inBrowser('says where ONNX Runtime’s training API was looked for, and how to get it', async (context) => {
  const page = await opened(context);
  await withLibrary(page);
  const message = await page.evaluate(async () => {
    const file = await (await fetch('ratings.csv')).blob();
    return library.train(file, {}, { ortTraining: 'training/nowhere/' }).then(
      () => 'trained',
      (error: Error) => `${error.constructor === library.UserError} ${error.message}`,
    );
  });
  expect(message).toMatch(/^true ONNX Runtime's training API .* npm install onnxruntime-training@/);
});

inBrowser(
  'training ends after the running epoch when it is told to, and keeps what there is',
  async (context) => {
    const page = await opened(context);
    await withLibrary(page);
    const epochs = await page.evaluate(async () => {
      const stop = new AbortController();
      const file = await (await fetch('ratings.csv')).blob();
      const { artifact } = await library.train(
        file,
        { epochs: 1000 },
        { signal: stop.signal, onProgress: ({ epoch }) => epoch === 1 && stop.abort() },
      );
      return artifact.manifest.history.length;
    });
    expect(epochs).toBeGreaterThanOrEqual(2);
    expect(epochs).toBeLessThan(50);
  },
);

inBrowser(
  'calls that overlap give the answers of calls one by one, for every head and runtime',
  async (context) => {
    const page = await opened(context);
    await withLibrary(page);
    const { together, alone } = await page.evaluate(async ({ users, items }) => {
      const [one, other] = await Promise.all(
        ['dot-bias', 'mlp'].map((model) => library.load(`models/${model}`, { private: true })),
      );
      const own = items.slice(0, 20).map((item, at) => ({ item, rating: 1 + (at % 5) }));
      const calls = Array.from({ length: 8 }, (_, at) => [
        async () => (await one.foldIn(own.slice(0, 5 + at))).recommended,
        async () =>
          Object.values(await other.factors(items.slice(at, 500 + at))).map(({ data }) => data.slice(0, 9)),
        async () => (await one.predict(users, items)).slice(0, 9),
        () => other.similar(items.slice(at, at + 3)),
      ]).flat();
      const together = await Promise.all(calls.map((call) => call()));
      const alone = [];
      for (const call of calls) alone.push(await call());
      return { together: JSON.stringify(together), alone: JSON.stringify(alone) };
    }, pairs);
    expect(together).toBe(alone);
  },
);

inBrowser('a page trains on interactions with the options of reading, as Node does', async (context) => {
  const options = {
    itemColumn: 'article',
    eventColumn: 'event',
    eventWeights: { view: 1, buy: 5 },
    leaveOut: ['buy'],
    valid: 0.2,
  };
  const rows = Array.from({ length: 900 }, (_, row) => {
    const user = row % 60;
    return `u${user},a${(user * 7 + Math.floor(row / 60) * 3) % 40},${row % 4 === 0 ? 'buy' : 'view'}`;
  });
  const csv = `user,article,event\n${rows.join('\n')}\n`;
  const { valid: _, ...reading } = options;
  const file = await folder.write('events.csv', csv);
  const { ratings, valid } = await readRatings(file, options);
  const { epochs } = await train(ratings, { factors: 4, epochs: 2 }, { valid });
  const fitted = await train((await readRatings(file, reading)).ratings, {
    factors: 4,
    epochs: 2,
    ...epochs,
  });
  const { eventColumn, eventWeights, leaveOut } = options;
  const expected = await fitted.recommender({
    reading: { eventColumn, eventWeights, leaveOut },
    noun: 'article',
  });
  const page = await opened(context);
  await withLibrary(page);
  const found = await page.evaluate(
    async ({ csv, options }) => {
      const reads: object[] = [];
      const recipe = { factors: 4, epochs: 2 };
      const onRead = (read: object) => reads.push(read);
      const trained = await library.train(new File([csv], 'events.csv'), recipe, { ...options, onRead });
      const recommender = await trained.recommender();
      const { recommended } = await recommender.foldIn(['a1', 'a2'], { k: 5 });
      const { data, files } = trained.artifact.manifest;
      return { reads, data, kept: 'seen.onnx' in files, scores: recommended.map(({ score }) => score) };
    },
    { csv, options },
  );
  expect(found.reads).toMatchObject([{ kind: 'interactions', heldOut: valid?.ratings.length }]);
  expect(found.data).toEqual(expected.artifact.manifest.data);
  // Which of the items are left out has to be kept.
  expect(found.kept).toBe(true);
  const { recommended } = await expected.foldIn(['a1', 'a2'], { k: 5 });
  for (const [index, { score }] of recommended.entries())
    expect(Math.abs(found.scores[index] - score)).toBeLessThan(1e-3);
});

inBrowser('what cannot be used ends in one line', async (context) => {
  const page = await opened(context);
  await withLibrary(page);
  const said = await page.evaluate(async () => {
    const message = (promise: Promise<unknown>) =>
      promise.then(
        () => 'nothing',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    const file = (text: string, name = 'mine.csv') => new File([text], name);
    return [
      await message(library.train(file('user,item,rating\n1,2,3\n1,3,four\n'))),
      await message(library.train(file('PK\x03\x04'))),
      await message(
        library.train(file('user,item,rating\n1,2,3\n'), { objective: 'ranking' }, { ortTraining: 'x/' }),
      ),
      await message(library.train(file('user,item,rating\n1,2,3\n2,3,4\n'), {}, { valid: 2 })),
      await message(library.train(file('user,item,rating\n1,2,3\n2,3,4\n'), { epochs: 0 })),
      await message(library.train(file('user,item\n1,2\n2,3\n'), {}, { ortTraining: 'x/' })),
      await message(library.train(file('user,item,plays\n1,2,7\n2,3,9\n'), { objective: 'both' })),
      await message(
        library.train(file('user,item,rating\n1,2,3\n2,3,4\n'), { model: 'item-item' }, { memory: 1e6 }),
      ),
      await message(
        library.train(
          file('user,item,rating\n1,2,3\n2,3,4\n'),
          { model: 'item-item' },
          { ortTraining: 'x/' },
        ),
      ),
    ];
  });
  expect(said).toEqual([
    'UserError: mine.csv, line 3: "four" in column "rating" is not a finite number; correct or remove the line; or leave it out with `skipBadRows: true`',
    'UserError: mine.csv: is a zip archive or a spreadsheet; unzip it, or save it as CSV',
    'UserError: the training API predicts ratings, and trains no rankings; leave out `ortTraining`',
    'UserError: the fraction to hold out is 2; give a number between 0 and 1, for example 0.2',
    'UserError: epochs is 0; give a whole number from 1',
    'UserError: the training API predicts ratings, and trains no rankings; leave out `ortTraining`',
    expect.stringMatching(/^UserError: mine\.csv: .*rating/),
    expect.stringMatching(
      /^UserError: weights between 2 items take .* of memory while they are computed; `memory` allows 1\.0 MB/,
    ),
    'UserError: the training API predicts ratings, and trains no rankings; leave out `ortTraining`',
  ]);
});

inBrowser('a model that was loaded once is there without the network', async (context) => {
  const page = await opened(context);
  await withLibrary(page);
  const predict = () =>
    page.evaluate(async () => {
      const recommender = await library.load('models/dot-bias', { heads: ['predict'] });
      return (await recommender.predict(['1'], ['1']))[0];
    });
  const first = await predict();
  await context.setOffline(true);
  expect(await predict()).toBe(first);
});

test('no Node module, no protobufjs and nothing of the data reader is in what a page gets', async () => {
  for (const name of ['web.js', 'web-worker.js']) {
    const code = await readFile(join(root, 'dist', name), 'utf8');
    expect(code.match(/["']node:\w+|protobufjs|onnx-proto|duckdb/g)).toBe(null);
  }
});
