/** Measures cofactor in a page; see docs/benchmarks.md. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { writeResult } from '../result.ts';
import { markdownTable } from '../table.ts';
import { measureAsking, measureEquality } from './asking.ts';
import { host, launch } from './browser.ts';
import { buildLibrary, root, type Size } from './bundles.ts';
import {
  askingReport,
  equalityReport,
  type Report,
  sizeReport,
  trainingReport,
  visitReport,
} from './report.ts';
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
      save: { type: 'boolean', default: false },
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
    const machine = `${describeMachine()}, Chromium ${browser.version().split('.')[0]}`;
    const sizes: Size[] = await buildLibrary(at('cofactor'));
    const reports: Report[] = [sizeReport(sizes)];
    const measure = async (part: string, work: () => Promise<Report>): Promise<void> => {
      if (parts.includes(part)) reports.push(await work());
    };
    await measure('training', async () => trainingReport(await measureTraining(browser, url, file)));
    await measure('asking', async () => askingReport(await measureAsking(browser, url, MODEL)));
    await measure('equality', async () =>
      equalityReport(await measureEquality(browser, url, at('models'), file)),
    );
    await measure('visit', async () => visitReport(await measureVisit(browser, at('page'), MODEL)));
    console.log(`${machine}; ${basename(file)}`);
    const command = 'npm run bench:web';
    for (const { name, columns, rows, note } of reports) {
      console.log(`\n${note ?? ''}\n${markdownTable([columns, ...rows])}`);
      if (options.save) await writeResult(name, { command, machine, note, columns, rows });
    }
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
