/** Benchmark in a page: `npm run bench:web`; README.md beside this file says what is measured and how. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { measureAsking, measureEquality } from './asking.ts';
import { host, launch } from './browser.ts';
import { buildLibrary, root, type Size } from './bundles.ts';
import { reportOf } from './report.ts';
import { measureTraining } from './training.ts';
import { measureVisit } from './visit.ts';

const PARTS = ['training', 'asking', 'equality', 'visit'];
const DATA = join(root, '../shared/data/ml-100k/u.data');
const SAMPLE = join(root, 'src/data/sample/ml-latest-small/ratings.csv.gz');
const MODEL = join(root, 'artifacts/ml-latest-small');

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      data: { type: 'string' },
      only: { type: 'string', default: PARTS.join(',') },
      json: { type: 'string' },
    },
  });
  if (options.data && !existsSync(options.data)) throw new Error(`no ${options.data}`);
  const parts = options.only.split(',');
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`--only takes ${PARTS.join(',')}; not ${unknown}`);
  const file = options.data ?? (existsSync(DATA) ? DATA : SAMPLE);
  if (file === SAMPLE)
    console.error('no MovieLens 100K here: the sample data, MovieLens latest-small, instead');

  const browser = await launch();
  const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
  const at = (name: string): string => join(scratch, name);
  for (const name of ['cofactor', 'models', 'page']) await mkdir(at(name));
  const server = await host({
    '/cofactor/': at('cofactor/'),
    '/models/': at('models/'),
    '/model/': MODEL,
    '/data/': dirname(file),
  });
  const { url } = server;
  try {
    const machine = { ...describeMachine(), chromium: browser.version() };
    const sizes: Size[] = await buildLibrary(at('cofactor'));
    const measure = async <Result>(part: string, work: () => Promise<Result>): Promise<Result | undefined> =>
      parts.includes(part) ? work() : undefined;
    const training = await measure('training', () => measureTraining(browser, url, file));
    const asking = await measure('asking', () => measureAsking(browser, url, MODEL));
    const equality = await measure('equality', () => measureEquality(browser, url, at('models'), file));
    const visit = await measure('visit', () => measureVisit(browser, at('page'), MODEL));
    const results = { machine, file, training, asking, equality, visit, sizes };
    console.log(reportOf(results));
    if (options.json) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
  } finally {
    await browser.close();
    server.close();
    await rm(scratch, { recursive: true });
  }
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
