import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { namesIn, published, SITE_MARK, type SiteFiles, writeSite } from '../../src/artifact/site.ts';
import { VERSION } from '../../src/version.ts';
import { program, workplace } from '../support/cli.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { expectSame, made } from '../support/made.ts';
import { sha256 } from '../support/sha256.ts';
import { runs } from '../support/soak.ts';
import { standInFiles, standInPage } from '../support/stand-in.ts';

const ours = ['fold-in.onnx', 'train.onnx', 'items.json'];
const users = ['predict.onnx', 'recommend.onnx', 'seen.onnx'];
const artifacts = [made('one', [...users, ...ours]), made('other', ours)];

async function contentOf(folder: string): Promise<SiteFiles> {
  const names = await namesIn(folder);
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(folder, name)).catch(() => Buffer.of())] as const),
    ),
  );
}

/** That a folder holds a page, a published model, and the mark, and nothing else. */
async function expectSite(folder: string, page: SiteFiles, artifact: Artifact): Promise<void> {
  const { [SITE_MARK]: mark, ...files } = await contentOf(folder);
  const names = [...Object.keys(page), 'model/manifest.json']
    .concat(Object.keys(published(artifact).files).map((name) => `model/${name}`))
    .sort();
  expect(Object.keys(files)).toEqual(names);
  expect(JSON.parse(String(mark))).toEqual({
    cofactor: VERSION,
    files: Object.fromEntries(
      names.map((name) => [name, { bytes: files[name].length, sha256: sha256(files[name]) }]),
    ),
  });
  for (const [name, bytes] of Object.entries(page)) expect(sha256(files[name])).toBe(sha256(bytes));
  expectSame(await readArtifact(join(folder, 'model')), published(artifact));
}

test('files about users are not published; the others are unchanged', () => {
  const [artifact, other] = artifacts;
  const { manifest, files } = published(artifact);
  expect(Object.keys(files)).toEqual(ours);
  expect(Object.keys(manifest.files)).toEqual(ours);
  expect(artifact).toMatchObject({ files, manifest: { files: manifest.files } });
  expect(published(other)).toEqual(other);
});

describe('a site', () => {
  const folder = temporaryFolder();
  let parent: string;
  let target: string;
  let turn = 0;
  beforeEach(async () => {
    parent = join(folder.path, String(turn++));
    await mkdir(parent);
    target = join(parent, 'site');
  });
  const write = (artifact = artifacts[0], page: SiteFiles = standInFiles) =>
    writeSite(target, page, artifact);

  test('holds the page and the model', async () => {
    const files = await write();
    await expectSite(target, standInFiles, artifacts[0]);
    const found = await contentOf(target);
    expect(Object.keys(found)).toEqual(Object.keys(files).sort());
    expect(await readdir(parent)).toEqual(['site']);
    // So that the user of a web server can read it.
    expect((await stat(target)).mode).toBe((await stat(parent)).mode);
  });

  test('is written to an empty folder, a new folder and the target of a link', async () => {
    await mkdir(target);
    await write();
    await expectSite(target, standInFiles, artifacts[0]);
    target = join(parent, 'a/b/c');
    await write();
    await expectSite(target, standInFiles, artifacts[0]);
    await symlink(target, join(parent, 'link'));
    await writeSite(join(parent, 'link'), standInFiles, artifacts[1]);
    await expectSite(target, standInFiles, artifacts[1]);
  });

  test('is replaced as a whole', async () => {
    await write();
    const page = { 'index.html': Buffer.from('new'), 'assets/b-12345678.js': Buffer.from('new') };
    await write(artifacts[1], page);
    await expectSite(target, page, artifacts[1]);
    // Files that are gone are no hindrance.
    await rm(join(target, 'assets'), { recursive: true });
    await write();
    await expectSite(target, standInFiles, artifacts[0]);
    expect(await readdir(parent)).toEqual(['site']);
  });

  /** That nothing is written, and all is as it was. */
  async function expectRefusal(message: RegExp): Promise<void> {
    const before = await contentOf(parent);
    expect(await userError(write(artifacts[1]))).toMatch(message);
    expect(await contentOf(parent)).toEqual(before);
  }

  test('refuses a folder that holds other files', async () => {
    await mkdir(join(target, 'model'), { recursive: true });
    await writeFile(join(target, 'notes.txt'), 'mine');
    await expectRefusal(/has other files and no site; choose a new or an empty folder/);
    await writeFile(join(target, 'index.html'), '<title>mine</title>');
    await writeFile(join(target, 'model/manifest.json'), JSON.stringify(artifacts[0].manifest));
    await expectRefusal(/has other files and no site/);
    for (const mark of [
      '',
      '{}',
      '[]',
      'null',
      '{"cofactor": "1", "files": 7}',
      '{"files": ["notes.txt"]}',
      '{"cofactor": "1", "files": ["index.html", "notes.txt", "model/manifest.json"]}',
    ]) {
      await writeFile(join(target, SITE_MARK), mark);
      await expectRefusal(/has other files and no site/);
    }
  });

  test.each(['CNAME', '.git/config', 'assets/mine.css', 'model/seen.onnx', 'index.html'])(
    'with %s of somebody stays',
    async (name) => {
      await write();
      await mkdir(dirname(join(target, name)), { recursive: true });
      await writeFile(join(target, name), 'mine');
      await expectRefusal(
        new RegExp(`files that are not as the site had them, and would be lost: "${name}"; move them`),
      );
    },
  );

  test('with an empty folder of somebody stays', async () => {
    await write();
    await mkdir(join(target, 'mine'));
    expect(await userError(write(artifacts[1]))).toMatch(/would be lost: "mine"; move them/);
    expect(await readdir(join(target, 'mine'))).toEqual([]);
  });

  test('with a link of somebody stays, and what it leads to', async () => {
    await write();
    await mkdir(join(parent, 'elsewhere'));
    await writeFile(join(parent, 'elsewhere/file'), 'mine');
    await symlink(join(parent, 'elsewhere'), join(target, 'linked'));
    expect(await userError(write())).toMatch(/"linked"/);
    expect(await readFile(join(target, 'linked/file'), 'utf8')).toBe('mine');
  });

  test('refuses a file, an empty name and the current folder', async () => {
    await writeFile(target, 'mine');
    await expectRefusal(/is a file; give a folder/);
    await writeFile(join(parent, 'file'), 'mine');
    target = join(parent, 'file/site');
    await expectRefusal(/cannot be opened \(ENOTDIR\)/);
    expect(await userError(writeSite('', standInFiles, artifacts[0]))).toMatch(/folder is empty/);
    for (const here of ['.', '..', relative('.', process.cwd()) || '.'])
      expect(await userError(writeSite(here, standInFiles, artifacts[0]))).toMatch(/is the current folder/);
  });

  test('stays as it was when a new one cannot be written', async () => {
    await write();
    // A file and a folder of one name.
    const page = { ...standInFiles, 'assets/a/b': Buffer.from(''), 'assets/a': Buffer.from('') };
    expect(await userError(write(artifacts[1], page))).toMatch(/could not be written \(E(ISDIR|EXIST)\)/);
    await expectSite(target, standInFiles, artifacts[0]);
    expect(await readdir(parent)).toEqual(['site']);
  });

  test('recovers after a call that was killed', async () => {
    await write();
    const [incoming, outgoing, lock] = ['incoming', 'outgoing', 'lock'].map((way) =>
      join(parent, `.site.cofactor-${way}`),
    );
    const others = ['.site.cofactor-incoming-mine', '.other.cofactor-outgoing'];
    for (const name of others) await mkdir(join(parent, name));
    // Without the lock of a call, it is none of ours.
    await mkdir(incoming);
    await expectRefusal(/cofactor-incoming: is in the way; move it$/);
    // Before the old one has left its place.
    await writeFile(lock, '123');
    await writeFile(join(incoming, 'index.html'), 'half');
    await write(artifacts[1]);
    await expectSite(target, standInFiles, artifacts[1]);
    // Between the two renames; and the next call is one that fails.
    await rename(target, outgoing);
    await mkdir(incoming);
    await writeFile(lock, '123');
    expect(await userError(write(artifacts[0], { a: Buffer.from(''), 'a/b': Buffer.from('') }))).toMatch(
      /written/,
    );
    await expectSite(target, standInFiles, artifacts[1]);
    // After both.
    await cp(target, outgoing, { recursive: true });
    await write();
    await expectSite(target, standInFiles, artifacts[0]);
    expect((await readdir(parent)).sort()).toEqual([...others, 'site'].sort());
  });

  test('goes on after a call that was killed while it removed the old one', async () => {
    await write();
    await cp(target, join(parent, '.site.cofactor-outgoing'), { recursive: true });
    await rm(join(parent, '.site.cofactor-outgoing/model'), { recursive: true });
    await write(artifacts[1]);
    await expectSite(target, standInFiles, artifacts[1]);
    expect(await readdir(parent)).toEqual(['site']);
  });

  test('is the old one or the new one after its writer is killed at any moment', async () => {
    const script = join(folder.path, 'writer.mjs');
    await symlink(resolve('node_modules'), join(folder.path, 'node_modules'));
    await build({
      stdin: {
        contents: `
          import { readArtifact } from './src/artifact/artifact.ts';
          import { writeSite } from './src/artifact/site.ts';
          const [target, ...sources] = process.argv.slice(2);
          const artifacts = await Promise.all(sources.map(readArtifact));
          const page = { 'index.html': Buffer.alloc(1e5), 'assets/a.js': Buffer.alloc(1e5) };
          process.stdout.write('ready');
          for (let turn = 0; ; turn++) await writeSite(target, page, artifacts[turn % 2]);
        `,
        resolveDir: '.',
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
    });
    const sources = [];
    for (const artifact of artifacts) {
      const source = join(parent, artifact.manifest.model.name);
      await writeSite(source, standInFiles, artifact);
      sources.push(join(source, 'model'));
    }
    const page = { 'index.html': Buffer.alloc(1e5), 'assets/a.js': Buffer.alloc(1e5) };
    for (let time = 0; time < runs(6, 50); time++) {
      const child = spawn(process.execPath, [script, target, ...sources], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exit = once(child, 'exit');
      await once(child.stdout, 'data');
      await setTimeout((time * 37) % 60);
      child.kill('SIGKILL');
      expect((await exit)[1]).toBe('SIGKILL');
      const names = await readdir(parent);
      const whole = names.find((name) => name === 'site') ?? names.find((name) => name.endsWith('-outgoing'));
      // A writer that was killed early in its first turn has left nothing.
      if (!whole) continue;
      const { manifest } = await readArtifact(join(parent, whole, 'model'));
      const artifact = artifacts.find((one) => one.manifest.model.name === manifest.model.name) as Artifact;
      await expectSite(join(parent, whole), page, artifact);
    }
    await write();
    await expectSite(target, standInFiles, artifacts[0]);
    expect((await readdir(parent)).sort()).toEqual(['one', 'other', 'site']);
  });
});

describe('on the command line', () => {
  const { at, text, failure, contents } = workplace();
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  // The built command line with a page beside it that may be taken away.
  beforeAll(async () => {
    await text('train', 'ratings.csv', '--out', 'movies', '--factors', '2', '--epochs', '1', '--seen');
    const built = dirname(program);
    await mkdir(at('dist'));
    for (const name of await readdir(built))
      if (name.endsWith('.js')) await cp(join(built, name), at('dist', name));
    const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));
    await symlink(packages, at('node_modules'), 'junction');
    await writeFile(at('package.json'), '{"type": "module"}');
    await standInPage(at('dist/page'));
  });

  const cofactor = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      execFile(process.execPath, [at('dist/cli.js'), ...args], { cwd: at() }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });

  test('export --public writes the same model without the page', async () => {
    const told =
      /^Wrote open: 6 files, [\d.]+ [kM]B; upload it to any static host\nIt only has data about items: no ids, factors or ratings of users\n$/;
    expect(await text('export', 'movies', '--public', 'open')).toMatch(told);
    const artifact = await readArtifact(at('movies'));
    expect(artifact.manifest.files['seen.onnx'].access).toBe('private');
    expectSame(await readArtifact(at('open')), published(artifact));
    const names = Object.keys(published(artifact).files);
    expect((await namesIn(at('open'))).sort()).toEqual([...names, '.cofactor/model', 'manifest.json'].sort());
    // It replaces an older one, and what it was made of stays.
    expect(await text('export', 'movies', '--public', 'open')).toMatch(told);
    expectSame(await readArtifact(at('movies')), artifact);
    expect(await text('similar', 'open', '--item', 'i1')).toBe(
      await text('similar', 'movies', '--item', 'i1'),
    );
    expect(await failure('recommend', 'open', '--user', 'u1')).toBe(
      'cofactor: the model has no predict.onnx; load the folder that training wrote, not its public part or a site, or train it again (item-item has no factors)',
    );
  });

  test('page writes a site and says where it is and how to view it', async () => {
    const { code, stdout, stderr } = await cofactor('page', 'movies', '--out', 'site');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Wrote site: \d+ files, [\d.]+ [kM]B; upload it to any static host\n/);
    expect(stdout).toMatch(/It only has data about items/);
    expect(stdout).toMatch(
      /python3 -m http.server --directory site .*\nnpx cofactor serve movies serves the same page .*\n$/,
    );
    await expectSite(at('site'), standInFiles, await readArtifact(at('movies')));
    const names = await namesIn(at('site/model'));
    expect(names).toContain('fold-in.onnx');
    expect(names.filter((name) => users.includes(name))).toEqual([]);
    const again = await cofactor('page', 'movies', '--out', 'site', '--json');
    const files = Object.values(await contentOf(at('site')));
    expect(JSON.parse(again.stdout)).toEqual({
      out: 'site',
      files: files.length,
      bytes: files.reduce((sum, { length }) => sum + length, 0),
    });
  });

  test('mistakes print one line and change nothing', async () => {
    await mkdir(at('mine'), { recursive: true });
    await writeFile(at('mine/notes.txt'), 'mine');
    const before = await contents();
    for (const [args, message] of [
      [['movies'], /--out/],
      [['nowhere', '--out', 'new'], /no such folder/],
      [['movies', '--out', 'mine'], /has other files and no site/],
      [
        ['movies', '--out', 'movies'],
        /movies: has movies\/manifest.json in it, which is read; give --out another/,
      ],
      [['movies', '--out', 'ratings.csv'], /is a file/],
      [['movies', '--out', ''], /folder is empty/],
      [['movies', '--out', '.'], /\.: has movies\/manifest.json in it, which is read/],
    ] as const) {
      const { code, stdout, stderr } = await cofactor('page', ...args);
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(message),
      });
      expect(stderr).toMatch(/^cofactor: (?!this is a bug)[^\n]{10,400}\n$/);
    }
    expect(await contents()).toEqual(before);
  });

  /** Starts a server, and waits for its line. */
  async function start(...args: string[]): Promise<{ line: string; url: string }> {
    child = spawn(process.execPath, [at('dist/cli.js'), 'serve', 'movies', '--port', '0', ...args], {
      cwd: at(),
    });
    const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    return { line: String(line), url: /http:\S+(?=:\s)/.exec(line)?.[0] ?? '' };
  }

  test('serve has the page, and says so', async () => {
    const { line, url } = await start();
    expect(line).toMatch(/: open it in a browser, or try \/recommend/);
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(standInFiles['index.html']);
    expect((await fetch(`${url}/model/manifest.json`)).status).toBe(200);
  });

  test('serve --no-page has none', async () => {
    const { line, url } = await start('--no-page');
    expect(line).toMatch(/: try \/recommend/);
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(`${url}/model/manifest.json`)).status).toBe(404);
    expect((await fetch(`${url}/recommend/u1`)).status).toBe(200);
  });

  test('where the page is not built, page says what to do, and serve serves all else', async () => {
    await rename(at('dist/page'), at('dist/page-away'));
    try {
      const { code, stderr } = await cofactor('page', 'movies', '--out', 'none');
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/not built; .*npm run build/),
      });
      const { line, url } = await start();
      expect(line).toMatch(/: try \/recommend/);
      expect((await fetch(url)).status).toBe(404);
    } finally {
      await rename(at('dist/page-away'), at('dist/page'));
    }
  });
});
