import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { decodeModel } from '../../src/onnx/index.ts';
import { program, workplace } from '../support/cli.ts';
import { writeSynthetic } from '../support/synthetic.ts';

const { at, text, json, failure, contents, manifest } = workplace();

const BIG = ['train', 'train.parquet', '--factors', '8'];

beforeAll(async () => {
  await writeSynthetic(at(), { ratings: 620_000, users: 4000, items: 1000 });
});

test('many ratings are trained by strata, and the model serves as any other', async () => {
  const printed = await text(...BIG, '--test', 'test.parquet', '--out', 'big');
  expect(printed).toMatch(/^Read 5\d\d,\d{3} ratings of 1,000 items by 4,000 users from train.parquet in /);
  expect(printed).toMatch(/^ {2}dot-bias +0\.(69|70)\d+ /m);
  const { training, data, metrics } = await manifest('big');
  expect(training).toMatchObject({
    engine: 'strata',
    optimizer: { name: 'row-adagrad' },
    batchSize: 4096,
    epochs: 6,
  });
  expect(data).toMatchObject({ users: 4000, items: 1000, low: 0.5, high: 5 });
  expect(metrics.train.rmse).toBeGreaterThan(0.5);
  expect(await json('predict', 'big', '--user', '1', '--item', '1')).toEqual([
    { user: '1', item: '1', rating: expect.any(Number), known: { user: true, item: true } },
  ]);
  expect(await text('inspect', 'big')).toMatch(/strata/);
  const left = Object.keys(await contents('big')).filter((path) =>
    /cofactor|incoming|checkpoint/.test(basename(path)),
  );
  expect(left).toEqual([]);
});

test('a part is held out to judge by, and then trained on', async () => {
  const { valid, ratings, judged } = await json(
    ...BIG,
    '--valid',
    '0.2',
    '--split',
    'random',
    '--out',
    'held',
  );
  expect(valid.rmse).toBeLessThan(0.8);
  expect(judged.trained).toBeLessThan(0.81 * 620_000);
  expect(judged.heldOut + judged.trained).toBe(ratings);
});

test('in little memory, on one thread, with another optimizer', async () => {
  const flags = ['--memory', '500MB', '--workers', '1', '--optimizer', 'adamw', '--epochs', '1'];
  await json(...BIG, ...flags, '--out', 'little');
  expect((await manifest('little')).training).toMatchObject({ optimizer: { name: 'adamw' } });
});

test.each([
  ['dot-bias', ['--epochs', '1', '--ranking-epochs', '1', '--valid', '0.1']],
  ['mlp', ['--objective', 'rating', '--epochs', '1', '--hidden', '8', '--no-valid']],
  ['item-item', ['--neighbors', '20', '--no-valid']],
])('one seed gives the same files, for any number of threads and any memory: %s', async (model, flags) => {
  const made = async (...more: string[]) => {
    await json(...BIG.slice(0, 2), '--model', model, ...flags, ...more, '--out', 'same');
    // It has the plan and the hash of each file.
    return manifest('same');
  };
  const first = await made('--workers', '1');
  expect(await made('--workers', '2', '--memory', '500MB')).toEqual(first);
  expect(await made('--workers', '3')).toEqual(first);
});

test('a few ratings are trained by strata where that is asked for', async () => {
  const flags = ['--batch-size', '16', '--blocks', '2,2', '--workers', '2'];
  await json('train', 'ratings.csv', ...flags, '--out', 'few');
  expect((await manifest('few')).training).toMatchObject({ engine: 'strata', blocks: [2, 2] });
  await json('train', 'ratings.csv', '--engine', 'strata', '--weight-decay', '0.2', '--out', 'few');
  expect((await manifest('few')).training.optimizer).toEqual({ name: 'row-adagrad', weightDecay: 0.2 });
});

test('mistakes print one line and leave no files', async () => {
  expect(await failure(...BIG, '--memory', '10MB', '--out', 'no')).toMatch(/--memory.*at least 500MB/);
  expect(await failure(...BIG, '--no-sparse-updates', '--engine', 'strata', '--out', 'no')).toMatch(
    /updates only the rows of a batch; leave out --no-sparse-updates$/,
  );
  expect(await failure(...BIG, '--workers', '2', '--engine', 'epoch-graph', '--out', 'no')).toMatch(
    /--workers is for training by strata; leave it out, or --engine epoch-graph$/,
  );
  await withDatabase(async (connection) => {
    await connection.run(
      `COPY (SELECT "user", item, (CASE WHEN file_row_number = 400000 THEN 'NaN' ELSE rating END)::FLOAT AS rating
       FROM read_parquet('${at('train.parquet')}', file_row_number = true)) TO '${at('bad.parquet')}'`,
    );
  });
  expect(await failure('train', 'bad.parquet', '--out', 'no')).toMatch(
    /^cofactor: bad.parquet, row 400001: .*rating/,
  );
  expect(existsSync(at('no'))).toBe(false);
});

describe('a training that is killed', () => {
  const long = [...BIG, '--epochs', '20', '--valid', '0.1'];

  test('loses at most one epoch, and --resume gives the same bytes', async () => {
    const child = spawn(process.execPath, [program, ...long, '--out', 'killed'], { cwd: at() });
    const written = () => statSync(at('killed/.cofactor/checkpoint'), { throwIfNoEntry: false })?.mtimeMs;
    while (written() === undefined) {
      expect(child.exitCode).toBe(null);
      await setTimeout(5);
    }
    child.kill('SIGKILL');
    await new Promise((done) => child.on('close', done));
    const names = Object.keys(await contents('killed')).map((path) => basename(path));
    expect(names.filter((name) => !/^(trial-)?checkpoint$|lock$/.test(name))).toEqual([]);
    const resumed = await json(...long, '--out', 'killed', '--resume');
    const whole = await json(...long, '--out', 'whole');
    expect({ ...resumed, seconds: 0, out: '' }).toEqual({ ...whole, seconds: 0, out: '' });
    expect(Object.values(await contents('killed'))).toEqual(Object.values(await contents('whole')));
  });
});

test('export --training-blocks writes the graph of a stratum', async () => {
  await json('train', 'ratings.csv', '--out', 'small');
  expect(await text('export', 'small', '--training-blocks')).toBe('Wrote small/training-blocks.onnx\n');
  expect(await text('export', 'small', '--training-blocks', 'elsewhere.onnx')).toBe('Wrote elsewhere.onnx\n');
  const { metadata } = decodeModel(await readFile(at('elsewhere.onnx')));
  expect(JSON.parse(metadata.contract)).toMatchObject({
    version: 1,
    inputs: { user: { dims: ['ratings'] } },
  });
  expect(await failure('export', 'small')).toMatch(/--training-blocks/);
});
