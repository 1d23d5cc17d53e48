import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, mkdir, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readArtifact } from '../../src/artifact/artifact.ts';
import { program, workplace } from '../support/cli.ts';

const { write, at, text, here, cofactor, failure, contents } = workplace();
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
  await link(at('ratings.csv'), at('hard.html'));
  for (const name of ['page.html', 'titles.html'])
    await write(name, await readFile(at(name === 'page.html' ? 'ratings.csv' : 'titles.csv'), 'utf8'));
  await write('config.html', '{"factors": 2}');
  await symlink('config.html', at('linked.json'));
  await symlink('parts/0.csv', at('part.html'));
});

describe('no command writes over what it reads', () => {
  test.each([
    ['report model --data page.html --out page.html', 'page.html: is read'],
    ['report model --data ratings.csv --out soft.html', 'soft.html: is ratings.csv, which is read'],
    ['report model --data ratings.csv --out hard.html', 'hard.html: is ratings.csv, which is read'],
    ['report model --data pag*.html --out ./page.html', './page.html: is page.html, which is read'],
    ['report model --data parts --out part.html', 'part.html: is parts/0.csv, which is read'],
    ['export model --training-blocks model/predict.onnx', 'model/predict.onnx: is read'],
    ['report model --out notes.md', 'Give a name that ends in .html'],
    ['report model --out model/.cofactor/x.html', 'is in .cofactor, where cofactor keeps'],
    ['train page.html --out new --report page.html', 'page.html: is read'],
    ['train ratings.csv --out new --titles titles.html --report titles.html', 'titles.html: is read'],
    ['train parts/0.csv --out new --test page.html --report page.html', 'page.html: is read'],
    [
      'train ratings.csv --out new --config linked.json --report config.html',
      'config.html: is linked.json, which is read',
    ],
    ['train ratings.csv --out new.html --report new.html', 'new.html: is given for --out and for --report'],
    ['train ratings.csv --out model --titles model/items.json', 'has model/items.json in it, which is read'],
    ['train parts --out parts', 'parts: has parts/0.csv in it, which is read'],
    ['tune ratings.csv --config cofactor.json --out .', '.: has ratings.csv in it, which is read'],
    ['batch model users.csv --out users.csv', 'users.csv: is read'],
    ['batch model --exclude pairs.csv --out pairs.csv', 'pairs.csv: is read'],
    ['predict model pairs.csv --out pairs.csv', 'pairs.csv: is read'],
    ['find-lr ratings.csv --out soft.html', 'soft.html: is ratings.csv, which is read'],
    ['export model --training model', 'model: has model/manifest.json in it, which is read'],
    ['export model --public model', 'model: has model/manifest.json in it, which is read'],
    ['export model --public site/open', 'is in a site, all of which'],
    ['export model --training-blocks model/train.onnx', 'model/train.onnx: is read'],
    [
      'export model --training model/.cofactor/incoming',
      'is in .cofactor, where cofactor keeps what is not finished',
    ],
    ['train ratings.csv --out model/.cofactor/rows', 'is in .cofactor, where cofactor keeps'],
    ['page model --out model/.cofactor/pending', 'is in .cofactor, where cofactor keeps'],
    ['train ratings.csv --out site/model', 'site/model: is in a site, all of which is published'],
    ['report model --out site/index.html', 'site/index.html: is in a site, all of which'],
    ['batch model --out site/model/top.csv', 'is in a site, all of which'],
    ['export model --triton site', 'site: is in a site, all of which'],
    ['export model --training site/model/training', 'is in a site, all of which'],
    ['serve model --feedback site/feedback', 'is in a site, all of which'],
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
    await link(at('cofactor.config.json'), at('same.html'));
    const before = await contents();
    expect((await here('train', 'ratings.csv', '--out', 'new', '--report', 'same.html')).stderr).toContain(
      'same.html: is cofactor.config.json, which is read',
    );
    expect(await contents()).toEqual(before);
    await rm(at('cofactor.config.json'));
    await rm(at('same.html'));
  });

  test('standard input may be a file, too', async () => {
    for (const args of [
      ['train', '-', '--out', 'new', '--report', 'page.html'],
      ['report', 'model', '--data', '-', '--out', 'page.html'],
      ['batch', 'model', '-', '--out', 'users.csv'],
    ]) {
      const file = args.at(-1) as string;
      const before = await contents();
      const input = await open(at(file));
      const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
        cwd: at(),
        stdio: [input.fd, 'ignore', 'pipe'],
        encoding: 'utf8',
      });
      await input.close();
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringContaining(`${file}: is standard input, which is read, and would be lost`),
      });
      expect(await contents()).toEqual(before);
    }
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
    await chmod(at('model/manifest.json'), 0o640);
    await text('train', 'ratings.csv', '--out', 'model', ...quick);
    for (const name of ['manifest.json', 'predict.onnx'])
      expect((await stat(at('model', name))).mode & 0o777).toBe(0o640);
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
    ['a folder', 'folder.html', /folder.html: is a folder; give the name of a file$/],
    ['a pipe', 'pipe.html', /pipe.html: is a pipe or a device; give the name of a file$/],
  ])('is not written in the place of %s', async (what, name, message) => {
    if (what === 'a link to nothing') await symlink('nothing', at(name));
    if (what === 'a folder') await mkdir(at(name));
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

  test.each([
    ['report.html', ['report', 'model'], 'report.html'],
    ['training-blocks.onnx', ['export', 'model', '--training-blocks'], 'model/training-blocks.onnx'],
  ])('%s is its name by default only in the place of one that cofactor made', async (_, args, path) => {
    await text(...args);
    await text(...args);
    await writeFile(at(path), 'mine');
    expect(await failure(...args)).toContain(
      `${path}: is there, and cofactor did not make it; move it, or give --`,
    );
    expect(await readFile(at(path), 'utf8')).toBe('mine');
    await rm(at(path));
  });

  test('takes no lock that is another file', async () => {
    const lock = at('.locked.html.cofactor-lock');
    for (const [content, isLink] of [
      ['mine', false],
      ['', true],
      ['12\n', true],
    ] as const) {
      await write('precious', content);
      if (isLink) await link(at('precious'), lock);
      else await writeFile(lock, content);
      expect(await failure('report', 'model', '--out', 'locked.html')).toMatch(
        /cofactor-lock: is in the way, and is no lock of cofactor; move it$/,
      );
      expect([await readFile(lock, 'utf8'), await readFile(at('precious'), 'utf8')]).toEqual([
        content,
        content,
      ]);
      await rm(lock);
    }
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

  test('the results of a search that were changed stay, and so does a backup by links', async () => {
    const search = (budget: string) => [
      ...['tune', 'ratings.csv', '--out', 'search', '--objective', 'rating', '--factors', '2'],
      ...['--valid', '0.3', '--budget', budget],
    ];
    const { code, stderr } = await cofactor(...search('0.15'));
    expect(code, stderr).toBe(0);
    await link(at('search/trials.jsonl'), at('backup.jsonl'));
    const backup = await readFile(at('backup.jsonl'));
    await cofactor(...search('0.15'));
    expect(await readFile(at('backup.jsonl'))).toEqual(backup);
    for (const name of ['best.json', 'tune.html']) {
      const was = await readFile(at('search', name));
      await writeFile(at('search', name), 'mine');
      expect(await failure(...search('0.4'))).toContain(`search/${name}: is in the way of the new search`);
      expect(await readFile(at('search', name), 'utf8')).toBe('mine');
      await writeFile(at('search', name), was);
    }
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
    '--no-valid',
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
    expect(await here('train', 'ratings.csv', '--out', 'taken', ...quick)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        /^taken has the checkpoint of a training that was stopped, which this one replaces;/,
      ),
    });
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
