import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readArtifact } from '../../src/artifact/artifact.ts';
import { program, workplace } from '../support/cli.ts';

const { write, at, text, json, here, failure, contents } = workplace();
const quick = ['--factors', '2', '--epochs', '1', '--objective', 'rating'];

beforeAll(async () => {
  await text('train', 'ratings.csv', '--out', 'model', ...quick);
  await text('page', 'model', '--out', 'site');
  await mkdir(at('parts'));
  const lines = (await readFile(at('ratings.csv'), 'utf8')).split('\n');
  for (const part of [0, 1])
    await write(
      `parts/${part}.csv`,
      [lines[0], ...lines.slice(1).filter((_, row) => row % 2 === part)].join('\n'),
    );
  await write('titles.csv', 'item,title\ni1,One\n');
  await write('pairs.csv', 'user,item\nu1,i1\n');
  await write('users.csv', 'user\nu1\n');
  await write('cofactor.json', '{"factors": 2, "epochs": 1, "objective": "rating"}');
  await symlink('ratings.csv', at('soft.html'));
  await link(at('ratings.csv'), at('hard.csv'));
  await symlink('parts/0.csv', at('part.html'));
});

describe('no command writes over what it reads', () => {
  test.each([
    ['report model --data ratings.csv --out ratings.csv', 'ratings.csv: is read'],
    ['report model --data ratings.csv --out soft.html', 'soft.html: is ratings.csv, which is read'],
    ['report model --data ratings.csv --out hard.csv', 'hard.csv: is ratings.csv, which is read'],
    ['report model --data rat*.csv --out ./ratings.csv', './ratings.csv: is ratings.csv, which is read'],
    ['report model --data parts --out part.html', 'part.html: is parts/0.csv, which is read'],
    ['report model --out model/predict.onnx', 'model/predict.onnx: is read'],
    ['report model --out site/model/manifest.json', 'is a file of the model in that folder'],
    ['report model --out model/.cofactor/model', 'is a file of the model in that folder'],
    ['train ratings.csv --out new --report ratings.csv', 'ratings.csv: is read'],
    ['train ratings.csv --out new --titles titles.csv --report titles.csv', 'titles.csv: is read'],
    ['train parts/0.csv --out new --test parts/1.csv --report parts/1.csv', 'parts/1.csv: is read'],
    ['train ratings.csv --out new --config cofactor.json --report cofactor.json', 'cofactor.json: is read'],
    ['train ratings.csv --out new --report new', 'new: is given for --out and for --report'],
    ['train ratings.csv --out new --report new/items.json', 'is a file of the model in that folder'],
    ['train ratings.csv --out model --titles model/items.json', 'has model/items.json in it, which is read'],
    ['train parts --out parts', 'parts: has parts/0.csv in it, which is read'],
    ['tune ratings.csv --config cofactor.json --out .', '.: has ratings.csv in it, which is read'],
    ['batch model users.csv --out users.csv', 'users.csv: is read'],
    ['batch model --exclude pairs.csv --out pairs.csv', 'pairs.csv: is read'],
    ['predict model pairs.csv --out pairs.csv', 'pairs.csv: is read'],
    ['find-lr ratings.csv --out soft.html', 'soft.html: is ratings.csv, which is read'],
    ['export model --training model', 'model: has model/manifest.json in it, which is read'],
    ['export model --training-blocks model/train.onnx', 'model/train.onnx: is read'],
    ['page model --out model', 'model: has model/manifest.json in it, which is read'],
    ['page site/model --out site', 'site: has site/model/manifest.json in it, which is read'],
  ])('%s', async (line, message) => {
    const before = await contents();
    expect(await here(...line.split(' '))).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
    expect(await contents()).toEqual(before);
  });

  test('the configuration of the working folder is read, too', async () => {
    await write('cofactor.config.json', '{"factors": 2}');
    const before = await contents();
    expect(
      (await here('train', 'ratings.csv', '--out', 'new', '--report', 'cofactor.config.json')).stderr,
    ).toContain('cofactor.config.json: is read');
    expect(await contents()).toEqual(before);
    await rm(at('cofactor.config.json'));
  });
});

describe('a file that is no input', () => {
  test('is replaced as a whole, with its rights; a link to it stays', async () => {
    await text('batch', 'model', '--out', 'top.parquet');
    const first = await readFile(at('top.parquet'));
    await text('batch', 'model', '--out', 'top.parquet', '-k', '3');
    expect((await readFile(at('top.parquet'))).equals(first)).toBe(false);
    await write('private.html', 'old');
    await chmod(at('private.html'), 0o600);
    await symlink('private.html', at('linked.html'));
    await text('report', 'model', '--out', 'linked.html');
    expect(await readFile(at('private.html'), 'utf8')).toMatch(/^<!doctype html>/i);
    expect((await stat(at('private.html'))).mode & 0o777).toBe(0o600);
    await text('report', 'model', '--out', 'model/report.html');
    await text('report', 'model', '--out', 'model/report.html');
    await text('train', 'ratings.csv', '--out', 'model', ...quick);
    expect(Object.keys(await contents()).filter((name) => /cofactor-(lock|incoming)/.test(name))).toEqual([]);
  });

  test.each([
    [
      'a link to nothing',
      'dangling.html',
      /dangling.html: is a link to nothing; remove it, or choose another path$/,
    ],
    ['a folder', 'parts', /parts: is a folder; give the name of a file$/],
    ['a pipe', 'pipe', /pipe: is a pipe or a device; give the name of a file$/],
  ])('is not written in the place of %s', async (what, name, message) => {
    if (what === 'a link to nothing') await symlink('nothing', at(name));
    if (what === 'a pipe') execFileSync('mkfifo', [at(name)]);
    expect(await failure('report', 'model', '--out', name)).toMatch(message);
  });

  test('a link to nothing is no folder for a model either', async () => {
    await symlink('nothing', at('gone'));
    for (const command of ['train', 'tune'])
      expect(await failure(command, 'ratings.csv', '--out', 'gone')).toMatch(
        /gone: is a link to nothing; remove it/,
      );
    expect(await failure('page', 'model', '--out', 'gone')).toMatch(/gone: is a link to nothing; remove it/);
  });

  test('takes no place of others beside it', async () => {
    await write('.other.html.cofactor-incoming', 'mine');
    expect(await failure('report', 'model', '--out', 'other.html')).toMatch(
      /cofactor-incoming: is in the way; move it$/,
    );
    expect(await readFile(at('.other.html.cofactor-incoming'), 'utf8')).toBe('mine');
  });
});

describe('folders of others', () => {
  beforeEach(async () => {
    await rm(at('photos'), { recursive: true, force: true });
    for (const name of ['.incoming-photos', '.pending', '.cofactor-x'])
      await mkdir(at('photos', name), { recursive: true });
    for (const name of [
      '.incoming-photos/x.jpg',
      '.pending/notes.txt',
      'notes.txt',
      'best.json',
      'checkpoint',
    ])
      await writeFile(at('photos', name), name);
  });

  test.each([
    ['train', 'ratings.csv', '--out', 'photos'],
    ['tune', 'ratings.csv', '--out', 'photos'],
    ['export', 'model', '--training', 'photos'],
    ['page', 'model', '--out', 'photos'],
  ])('%s %s %s %s writes nothing there', async (...line) => {
    const before = await contents();
    expect(await failure(...line)).toMatch(/^cofactor: photos: has other files/);
    expect(await contents()).toEqual(before);
  });

  test('a search and a model do not share a folder', async () => {
    expect(await failure('tune', 'ratings.csv', '--out', 'model')).toMatch(
      /has other files than those of a search/,
    );
  });
});

describe('two writers', () => {
  const long = [
    'train',
    'ratings.csv',
    '--out',
    'taken',
    '--factors',
    '2',
    '--epochs',
    '100000',
    '--objective',
    'rating',
  ];

  test('the second training of a folder ends at once; after a kill the folder is free', async () => {
    const first = spawn(process.execPath, [program, ...long], { cwd: at(), stdio: 'ignore' });
    const exit = once(first, 'exit');
    await expect
      .poll(() => stat(at('taken/.cofactor/checkpoint')).catch(() => undefined), { interval: 5 })
      .toBeTruthy();
    expect(await failure('train', 'ratings.csv', '--out', 'taken', ...quick)).toBe(
      `cofactor: taken: another cofactor (process ${first.pid}) is writing there; wait for its end, or choose another place`,
    );
    first.kill('SIGKILL');
    await exit;
    await json('train', 'ratings.csv', '--out', 'taken', ...quick);
    expect(Object.keys(await contents('taken/.cofactor'))).toEqual([]);
  });

  test('readers see one model or the other, and never fail', async () => {
    const writers = ['3', '4'].map((seed) => {
      const loop = `while :; do ${process.execPath} ${program} train ratings.csv --out read --seed ${seed} ${quick.join(' ')}; done`;
      return spawn('sh', ['-c', loop], { cwd: at(), stdio: 'ignore', detached: true });
    });
    const seen = new Set<unknown>();
    try {
      for (let reads = 0; reads < 200 || seen.size < 2; ) {
        const model = await readArtifact(at('read')).catch((error) => {
          if (seen.size > 0) throw error;
        });
        if (model) {
          seen.add(model.manifest.training.seed);
          reads++;
        } else await setTimeout(20);
      }
    } finally {
      for (const { pid } of writers) process.kill(-(pid as number), 'SIGKILL');
    }
    expect([...seen].sort()).toEqual([3, 4]);
  });
});
