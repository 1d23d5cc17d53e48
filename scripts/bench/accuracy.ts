/** Measures the errors of the models and baselines, and the sizes of the models' files; see docs/benchmarks.md. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { describeMachine, isIdle } from './machine.ts';
import { writeResult } from './result.ts';
import { dataSet, SAMPLE } from './sets.ts';
import { markdownTable } from './table.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: path('../../../shared/data/ml-100k') },
    save: { type: 'boolean', default: false },
  },
});
const PREDICTORS = {
  'dot-bias': 'dot-bias',
  mlp: 'MLP',
  'item-item': 'item-item',
  'implicit-als': 'implicit ALS',
  'item-knn': 'nearest neighbours',
  'most-popular': 'most popular',
  'user-item-means': 'damped means',
};
type Predictor = keyof typeof PREDICTORS;

interface Mean {
  readonly mean: number;
  readonly deviation: number;
}

interface Compared {
  readonly predictors: Readonly<
    Record<
      Predictor,
      {
        readonly rmse?: Mean;
        readonly ndcg?: Mean;
        readonly seconds: number;
        readonly bytes?: number;
      }
    >
  >;
}

interface Evaluated {
  readonly rmse?: number;
  readonly ranking: { readonly at: readonly { readonly ndcg: number }[] };
}

const command = 'npm run bench:accuracy';
const machine = describeMachine();
const isTimed = isIdle();

async function cofactor<Result>(...args: string[]): Promise<Result> {
  const flags = { maxBuffer: 64 << 20 };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path('../../dist/cli.js'), ...args, '--json'],
    flags,
  );
  return JSON.parse(stdout);
}

async function show(name: string, columns: string[], rows: string[][]): Promise<void> {
  console.log(`\n${markdownTable([columns, ...rows])}`);
  if (options.save) await writeResult(name, { command, machine, columns, rows });
}

const megabytes = (bytes?: number): string => (bytes === undefined ? '' : (bytes / 1e6).toFixed(1));

/** `cofactor compare` without settings. */
async function accuracy(): Promise<void> {
  const folds = [1, 2, 3, 4, 5].flatMap((fold) => {
    const [train, test] = ['base', 'test'].map((part) => join(options.data, `u${fold}.${part}`));
    if (!existsSync(train)) throw new Error(`no ${train}: give the folder of MovieLens 100K with --data`);
    return ['--fold', `${train}:${test}`];
  });
  const sets = [await cofactor<Compared>('compare', ...folds), await cofactor<Compared>('compare', SAMPLE)];
  await show(
    'accuracy',
    [
      'mean of five folds ± deviation',
      'MovieLens 100K: RMSE',
      'NDCG@10',
      'latest-small: RMSE',
      'NDCG@10',
      ...(isTimed ? ['training, s'] : []),
      'files, MB',
    ],
    Object.entries(PREDICTORS).map(([name, title]) => {
      const found = sets.map(({ predictors }) => predictors[name as Predictor]);
      const both = (text: (one: (typeof found)[number]) => string): string => found.map(text).join(', ');
      const isModel = found[0].bytes !== undefined;
      return [
        title,
        ...found.flatMap(({ rmse, ndcg }) =>
          [rmse, ndcg].map((one) => (one ? `${one.mean.toFixed(3)}±${one.deviation.toFixed(3)}` : '')),
        ),
        ...(isTimed ? [both(({ seconds }) => seconds.toFixed(1))] : []),
        isModel ? both(({ bytes }) => megabytes(bytes)) : '',
      ];
    }),
  );
}

/** Size and error of the models with smaller number types. */
async function fileSizes(scratch: string): Promise<void> {
  const { train, test } = await dataSet('ml-latest-small', options.data, scratch);
  const rows: string[][] = [];
  for (const model of ['dot-bias', 'mlp', 'item-item'] as const)
    for (const precision of model === 'item-item' ? ['float16', 'int8'] : ['float32', 'float16', 'int8']) {
      const out = join(scratch, `${model}-${precision}`);
      const quantize = precision === 'float32' ? [] : ['--quantize', precision];
      await cofactor('train', train, '--model', model, '--out', out, '--no-valid', ...quantize);
      const { rmse, ranking } = await cofactor<Evaluated>('evaluate', out, test, '--train', train);
      const sizes = await Promise.all((await readdir(out)).map((name) => stat(join(out, name))));
      const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
      rows.push([
        PREDICTORS[model],
        precision,
        megabytes(bytes),
        rmse?.toFixed(4) ?? '',
        ranking.at[0].ndcg.toFixed(4),
      ]);
    }
  await show(
    'file-sizes',
    ['MovieLens latest-small', 'tables', 'all files, MB', 'RMSE on a fifth', 'NDCG@10'],
    rows,
  );
}

const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
try {
  await accuracy();
  await fileSizes(scratch);
} finally {
  await rm(scratch, { recursive: true });
}
