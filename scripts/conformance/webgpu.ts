// Runs the same files in a page by ONNX Runtime's WebAssembly and by its two builds for WebGPU, and prints how far these
// are from it, or what they say. It is here to try the next version with.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type * as Ort from 'onnxruntime-common';
import type { Browser, Page } from 'playwright-core';
import type { Ratings } from '../../src/data/dataset/ratings.ts';
import { readRatings } from '../../src/data/read/read.ts';
import {
  buildModel,
  concat,
  encodeModel,
  gather,
  initializer,
  input,
  labelEncoder,
} from '../../src/onnx/index.ts';
import { train } from '../../src/train/train.ts';
import { type Host, host, launch, NAMES } from '../bench/web/browser.ts';

/** What a page gets that imports them. */
const BUILDS = {
  'onnxruntime-web/webgpu': 'ort.webgpu.bundle.min.mjs',
  'onnxruntime-web': 'ort.bundle.min.mjs',
};
const WASM = 'ort.wasm.bundle.min.mjs';

const HEADS = ['predict', 'recommend', 'similar', 'fold-in', 'factors'];
const PAIRS = 2000;
const LONGEST = 120_000;

const root = fileURLToPath(new URL('../../', import.meta.url));

type Outputs = Readonly<Record<string, readonly (string | number)[]>>;
type Answer = { readonly outputs: Outputs } | { readonly error: string };
type Feeds = Readonly<
  Record<
    string,
    { type: 'string' | 'float32' | 'int64'; dims: readonly number[]; data: readonly (string | number)[] }
  >
>;

interface Task {
  /** Where the file is served. */
  readonly file: string;
  readonly feeds: Feeds;
}

const { values: options } = parseArgs({
  options: { adapter: { type: 'string', default: 'swiftshader' }, json: { type: 'boolean', default: false } },
});

/** @param folder gets the files that are not there yet */
async function prepare(folder: string, ratings: Ratings, ids: Ids): Promise<Record<string, Task>> {
  await (await train(ratings, { model: 'mlp', epochs: 1 })).save(join(folder, 'mlp'));
  await mkdir(join(folder, 'dot-bias'));
  for (const head of HEADS)
    await copyFile(
      join(root, `artifacts/ml-latest-small/${head}.onnx`),
      join(folder, `dot-bias/${head}.onnx`),
    );
  await writeFile(join(folder, 'two-lookups.onnx'), twoLookups(ids));
  const tasks = ['dot-bias', 'mlp'].flatMap((model) =>
    HEADS.map((head): [string, Task] => [
      `${model}/${head}`,
      { file: `${model}/${head}.onnx`, feeds: feedsOf(head, ids) },
    ]),
  );
  return {
    ...Object.fromEntries(tasks),
    'two lookups': { file: 'two-lookups.onnx', feeds: feedsOf('predict', ids) },
  };
}

type Ids = Readonly<Record<'users' | 'items', readonly string[]>>;

/** The least that goes wrong: rows of two tables, looked up by ids, side by side. */
function twoLookups({ users, items }: Ids): Uint8Array {
  const user = input('user', 'string', ['n']);
  const item = input('item', 'string', ['n']);
  // Each row holds its own number, so that a wrong one says which it is.
  const table = (name: string, ids: readonly string[]) =>
    initializer(
      name,
      'float',
      [ids.length + 1, 1],
      Float32Array.from({ length: ids.length + 1 }, (_, row) => row),
    );
  const rows = concat(
    [
      gather(table('users', users), labelEncoder(user, users, 'user_row')),
      gather(table('items', items), labelEncoder(item, items, 'item_row')),
    ],
    1,
    'rows',
  );
  return encodeModel(buildModel({ name: 'two lookups', inputs: [user, item], outputs: { rows } }));
}

function feedsOf(head: string, { users, items }: Ids): Feeds {
  const strings = (data: readonly string[], dims = [data.length]): Feeds[string] => ({
    type: 'string',
    dims,
    data,
  });
  const pairs = Array.from({ length: PAIRS }, (_, place) => place);
  const k: Feeds[string] = { type: 'int64', dims: [1], data: [10] };
  const some = items.slice(0, 20);
  const all: Readonly<Record<string, Feeds>> = {
    predict: {
      user: strings(pairs.map((place) => users[place % users.length])),
      item: strings(items.slice(0, PAIRS)),
    },
    recommend: { user: strings(users.slice(0, 5)), k, exclude: strings(items.slice(0, 5), [5, 1]) },
    similar: { item: strings(some), k },
    'fold-in': {
      item: strings(some),
      rating: { type: 'float32', dims: [20], data: some.map((_, at) => 1 + (at % 5)) },
      k,
    },
    factors: { item: strings(items.slice(0, PAIRS)) },
  };
  return all[head];
}

/** A page, since a runtime that failed may leave its page unusable. */
async function inPage<Result>(
  browser: Browser,
  { url }: Host,
  work: (page: Page) => Promise<Result>,
): Promise<Result> {
  const page = await (await browser.newContext()).newPage();
  try {
    await page.addInitScript(NAMES);
    await page.goto(url);
    return await work(page);
  } finally {
    await page.context().close();
  }
}

const runIn = (
  browser: Browser,
  site: Host,
  build: string,
  provider: 'wasm' | 'webgpu',
  task: Task,
): Promise<Answer> =>
  inPage(browser, site, (page) =>
    page.evaluate(
      async ({ build, provider, task: { file, feeds }, longest }): Promise<Answer> => {
        const late = new Promise<Answer>((resolve) =>
          setTimeout(() => resolve({ error: `no answer after ${longest / 1000} s` }), longest),
        );
        const answer = async (): Promise<Answer> => {
          const ort: typeof Ort = await import(`/ort/${build}`);
          ort.env.wasm.numThreads = 1;
          ort.env.logLevel = 'error';
          const model = new Uint8Array(await (await fetch(`/models/${file}`)).arrayBuffer());
          const session = await ort.InferenceSession.create(model, { executionProviders: [provider] });
          const tensors = Object.entries(feeds).map(([name, { type, dims, data }]) => {
            if (type === 'string') return [name, new ort.Tensor('string', data as string[], dims)];
            if (type === 'int64')
              return [name, new ort.Tensor('int64', BigInt64Array.from(data.map(BigInt)), dims)];
            return [name, new ort.Tensor('float32', Float32Array.from(data.map(Number)), dims)];
          });
          const results = await session.run(Object.fromEntries(tensors));
          const outputs = Object.entries(results).map(([name, { data }]) => [
            name,
            [...(data as string[] | Float32Array)],
          ]);
          return { outputs: Object.fromEntries(outputs) };
        };
        const failed = (error: Error): Answer => ({ error: error.message ?? String(error) });
        return Promise.race([answer().catch(failed), late]);
      },
      { build, provider, task, longest: LONGEST },
    ),
  );

/** What of an answer differs from the right one, in a line. */
function verdict(expected: Answer, answer: Answer): string {
  if ('error' in expected) return `WebAssembly: ${oneLine(expected.error)}`;
  if ('error' in answer) return oneLine(answer.error);
  let largest = 0;
  let floats = 0;
  let wrong = 0;
  let first: number | undefined;
  let strings = 0;
  let others = 0;
  for (const [name, values] of Object.entries(expected.outputs))
    for (const [at, value] of values.entries()) {
      const got = answer.outputs[name]?.[at];
      if (typeof value === 'string') {
        strings++;
        if (got !== value) others++;
        continue;
      }
      const difference = Math.abs(Number(got) - value);
      floats++;
      // So that what is not a number counts as wrong.
      if (!(difference <= 1e-4)) {
        wrong++;
        first ??= at;
      }
      largest = Math.max(largest, difference);
    }
  const ofFloats = wrong > 0 ? `, ${wrong} of ${floats} numbers wrong, the first at ${first}` : '';
  const ofStrings = others > 0 ? `, ${others} of ${strings} ids differ` : '';
  return `${largest.toExponential(1)}${ofFloats}${ofStrings}`;
}

const oneLine = (text: string): string => text.replace(/[|\s]+/g, ' ').slice(0, 200);

const graphics =
  options.adapter === 'default'
    ? ['--enable-unsafe-webgpu']
    : ['--enable-unsafe-webgpu', `--use-webgpu-adapter=${options.adapter}`];
const folder = await mkdtemp(join(tmpdir(), 'cofactor-webgpu-'));
const { ratings } = await readRatings(join(root, 'src/data/sample/ml-latest-small/ratings.csv.gz'));
const tasks = await prepare(folder, ratings, { users: ratings.userIds, items: ratings.itemIds });
const site = await host({ '/ort/': join(root, 'node_modules/onnxruntime-web/dist'), '/models/': folder });
const browser = await launch(graphics);
try {
  const adapter = await inPage(browser, site, (page) =>
    page.evaluate(async () => {
      const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<{ info: object } | null> } };
      const { info } = (await gpu?.requestAdapter()) ?? {};
      const { vendor, architecture, device, description } = (info ?? {}) as Record<string, string>;
      return info && [vendor, architecture, device, description].filter(Boolean).join(', ');
    }),
  );
  const rows: Record<string, string>[] = [];
  for (const [name, task] of Object.entries(tasks)) {
    const expected = await runIn(browser, site, WASM, 'wasm', task);
    const row: Record<string, string> = { head: name };
    for (const [build, file] of Object.entries(BUILDS))
      row[build] = verdict(expected, await runIn(browser, site, file, 'webgpu', task));
    rows.push(row);
    if (!options.json) console.error(Object.values(row).join(': '));
  }
  if (options.json) console.log(JSON.stringify({ adapter: adapter ?? null, rows }, null, 2));
  else {
    const builds = Object.keys(BUILDS);
    console.log(`adapter: ${adapter ?? 'none'}\n\n| largest difference | ${builds.join(' | ')} |`);
    console.log(`| --- | ${builds.map(() => '---').join(' | ')} |`);
    for (const { head, ...cells } of rows) console.log(`| ${head} | ${Object.values(cells).join(' | ')} |`);
  }
} finally {
  await browser.close();
  site.close();
  await rm(folder, { recursive: true });
}
