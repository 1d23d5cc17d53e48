import { cp, mkdir, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { writeArtifact } from '../../src/artifact/artifact.ts';
import { parseManifest } from '../../src/artifact/manifest.ts';
import { chosenEncoding } from '../../src/serve/encodings.ts';
import { readPage } from '../../src/serve/page-files.ts';
import { serve } from '../../src/serve/serve.ts';
import { withLimits } from '../support/limits.ts';
import { served, smallModel } from '../support/served.ts';
import { sha256 } from '../support/sha256.ts';
import { standInFiles, standInPage } from '../support/stand-in.ts';

withLimits({ refreshInterval: 100 });

const movies = served();

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** What is answered to a path as it stands: `fetch` would tidy it up, and undo what is compressed. */
function get(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  at = movies.url,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(at, { path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes: Buffer.concat(chunks),
        }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

const nothing = { error: 'there is nothing at this path; /openapi.json lists all paths' };

async function expectNothing(path: string, at = movies.url): Promise<void> {
  const { status, bytes } = await get(path, {}, 'GET', at);
  expect({ path, status, body: JSON.parse(String(bytes)) }).toEqual({ path, status: 404, body: nothing });
}

describe('the page', () => {
  test('is at /, and its files beside it', async () => {
    const index = await get('/');
    expect(index.status).toBe(200);
    expect(index.bytes).toEqual(standInFiles['index.html']);
    for (const [name, expected] of Object.entries(standInFiles)) {
      const { status, bytes } = await get(`/${name}`);
      expect({ name, status }).toEqual({ name, status: 200 });
      expect(bytes).toEqual(expected);
    }
    expect((await get('/?from=a-link')).bytes).toEqual(index.bytes);
  });

  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/service-worker.js', 'text/javascript; charset=utf-8'],
    ['/assets/a-CxK0Wq1d.css', 'text/css; charset=utf-8'],
    ['/assets/ort-D1f2g3h4.wasm', 'application/wasm'],
    ['/assets/mark-aB3dE5gH.svg', 'image/svg+xml; charset=utf-8'],
    ['/THIRD-PARTY.md', 'text/markdown; charset=utf-8'],
    ['/model/manifest.json', 'application/json; charset=utf-8'],
    ['/model/fold-in.onnx', 'application/octet-stream'],
  ])('%s is %s, and no browser guesses', async (path, type) => {
    const { headers } = await get(path);
    expect(headers).toMatchObject({
      'content-type': type,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringMatching(
        /^default-src 'self'; script-src 'self' 'wasm-unsafe-eval';.*frame-ancestors 'none'/,
      ),
    });
  });

  test.each([
    ['/assets/a-B4x_9fQz.js', true],
    ['/assets/ort-D1f2g3h4.wasm', true],
    ['/assets/simd-threaded.wasm', false],
    ['/', false],
    ['/service-worker.js', false],
    ['/model/manifest.json', false],
    ['/model/similar.onnx', false],
  ])('%s is kept for ever: %s', async (path, forEver) => {
    expect((await get(path)).headers['cache-control']).toBe(
      forEver ? 'public, max-age=31536000, immutable' : 'no-cache',
    );
  });

  test.each(['/', '/assets/ort-D1f2g3h4.wasm', '/model/manifest.json', '/model/fold-in.onnx'])(
    '%s is sent once to who has it',
    async (path) => {
      const { headers, bytes } = await get(path);
      const tag = headers.etag as string;
      expect(tag).toBe(`"${sha256(bytes)}"`);
      for (const tags of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        const again = await get(path, { 'if-none-match': tags });
        expect({ tags, status: again.status, bytes: again.bytes.length }).toEqual({
          tags,
          status: 304,
          bytes: 0,
        });
        expect(again.headers).toMatchObject({ etag: tag, 'cache-control': headers['cache-control'] });
      }
      expect((await get(path, { 'if-none-match': '"other"' })).bytes).toEqual(bytes);
    },
  );

  test('HEAD answers without the bytes', async () => {
    for (const path of ['/', '/assets/ort-D1f2g3h4.wasm', '/model/fold-in.onnx']) {
      const whole = await get(path);
      const { status, headers, bytes } = await get(path, {}, 'HEAD');
      expect({ status, bytes: bytes.length }).toEqual({ status: 200, bytes: 0 });
      for (const name of ['content-type', 'content-length', 'etag', 'cache-control'])
        expect(headers[name]).toBe(whole.headers[name]);
    }
  });

  test('other methods are refused', async () => {
    for (const path of ['/', '/assets/a-B4x_9fQz.js', '/model/manifest.json']) {
      const { status, headers } = await get(path, {}, 'DELETE');
      expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: 'GET, HEAD' });
    }
    expect((await get('/nothing', {}, 'DELETE')).status).toBe(404);
  });
});

describe('what is sent compressed', () => {
  const open: Record<string, (bytes: Buffer) => Buffer> = { br: brotliDecompressSync, gzip: gunzipSync };

  test.each([
    ['br', 'gzip, deflate, br'],
    ['gzip', 'gzip'],
    ['gzip', 'br;q=0, GZIP;q=0.5'],
  ])('is the same in %s, to who takes %s', async (encoding, accepted) => {
    const texts = ['/', '/assets/a-B4x_9fQz.js', '/assets/a-CxK0Wq1d.css', '/assets/ort-D1f2g3h4.wasm'];
    for (const path of [...texts, '/model/items.json', '/model/manifest.json']) {
      const plain = await get(path);
      const answers = await Promise.all([1, 2, 3].map(() => get(path, { 'accept-encoding': accepted })));
      for (const { headers, bytes } of answers) {
        expect(headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
        expect(headers['content-type']).toBe(plain.headers['content-type']);
        expect(headers.etag).toBe(`${plain.headers.etag?.slice(0, -1)}-${encoding}"`);
        expect(bytes.length).toBe(Number(headers['content-length']));
        expect(open[encoding](bytes)).toEqual(plain.bytes);
      }
      const tag = answers[0].headers.etag as string;
      const again = await get(path, { 'accept-encoding': accepted, 'if-none-match': tag });
      expect(again).toMatchObject({ status: 304, headers: { vary: 'accept-encoding' } });
      // Other bytes than those that the tag is of.
      expect((await get(path, { 'if-none-match': tag })).status).toBe(200);
    }
    expect(
      (await get('/assets/ort-D1f2g3h4.wasm', { 'accept-encoding': accepted })).bytes.length,
    ).toBeLessThan(500);
  });

  test('is no table of numbers', async () => {
    const { headers } = await get('/model/fold-in.onnx', { 'accept-encoding': 'br' });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('vary');
  });

  test.each([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['*', undefined],
    ['br;q=0', undefined],
    ['gzip;q=0.0, br ; q=0.1', 'br'],
    ['gzip;q=x', undefined],
    ['deflate, gzip;q=1.0, *;q=0.5', 'gzip'],
  ])('is chosen from %j: %s', (header, encoding) => {
    expect(chosenEncoding(header)).toBe(encoding);
  });
});

describe('the model beside it', () => {
  test('is the first that is served, without what tells of users', async () => {
    const { artifact } = movies.recommender;
    expect(artifact.manifest.files).toHaveProperty(['seen.onnx']);
    const manifest = parseManifest((await get('/model/manifest.json')).bytes, 'it');
    // One visitor needs no fold-in of many.
    const hidden = ['predict', 'recommend', 'seen', 'fold-in-many'];
    const files = Object.fromEntries(
      Object.entries(artifact.manifest.files).filter(([name]) => !hidden.includes(name.replace('.onnx', ''))),
    );
    expect(manifest).toEqual({ ...artifact.manifest, files });
    for (const [name, { bytes: length, sha256: sum }] of Object.entries(files)) {
      const { bytes } = await get(`/model/${name}`);
      expect({ name, length: bytes.length, sum: sha256(bytes) }).toEqual({ name, length, sum });
    }
    for (const name of hidden) await expectNothing(`/model/${name}.onnx`);
  });

  test('in a page of one’s own is without what tells of users, too', async () => {
    const page = await standInPage(join(movies.folder.path, 'own-page'));
    await cp(movies.directory, join(page, 'movies'), { recursive: true });
    await writeFile(join(page, 'manifest.json'), '{"name": "My shop"}');
    const server = await serve(movies.directory, { port: 0, logLevel: 'silent', page });
    try {
      for (const name of ['predict.onnx', 'recommend.onnx', 'seen.onnx', '.cofactor/model'])
        await expectNothing(`/movies/${name}`, server.url);
      for (const name of [
        'movies/manifest.json',
        'movies/fold-in.onnx',
        'movies/items.json',
        'manifest.json',
      ])
        expect((await get(`/${name}`, {}, 'GET', server.url)).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  test('is another once another is served', async () => {
    const ratings = join(movies.folder.path, 'ratings.csv');
    const directory = join(movies.folder.path, 'reloaded');
    const [first, second] = [await smallModel(ratings), await smallModel(ratings, { seed: 2 })];
    await writeArtifact(directory, first);
    const page = join(movies.folder.path, 'page');
    const server = await serve([directory, movies.directory], { port: 0, logLevel: 'silent', page });
    try {
      const foldIn = async () => sha256((await get('/model/fold-in.onnx', {}, 'GET', server.url)).bytes);
      const { etag } = (await get('/model/manifest.json', {}, 'GET', server.url)).headers;
      expect(await foldIn()).toBe(first.manifest.files['fold-in.onnx'].sha256);
      await writeArtifact(directory, second);
      await expect.poll(foldIn, { interval: 100 }).toBe(second.manifest.files['fold-in.onnx'].sha256);
      const fresh = await get('/model/manifest.json', { 'if-none-match': etag as string }, 'GET', server.url);
      expect(fresh.status).toBe(200);
    } finally {
      await server.close();
    }
  });
});

test.each([
  '/assets/../../ratings.csv',
  '/assets/../index.html',
  '/../ratings.csv',
  '/assets/..%2f..%2fratings.csv',
  '/assets/%2e%2e/%2e%2e/ratings.csv',
  '/assets/%2e%2e%2findex.html',
  '/assets/..\\..\\ratings.csv',
  '/assets/..%5c..%5cratings.csv',
  '/assets/%00',
  '/assets/a-B4x_9fQz.js%00',
  '/assets/a-B4x_9fQz.js/',
  '/assets/a%2DB4x_9fQz.js',
  '/assets//a-B4x_9fQz.js',
  '/assets/',
  '/assets',
  '//',
  '//index.html',
  '/index.html/',
  '/INDEX.HTML',
  '/page/index.html',
  '/model/../movies/seen.onnx',
  '/model/..%2fratings.csv',
  '/model/%73een.onnx',
  '/model/manifest.json/',
  '/model/',
  '/model/.cofactor/pending',
  '/model/__proto__',
  '/model/constructor',
  '/__proto__',
])('there is nothing at %s', (path) => expectNothing(path));

test('requests for it are counted by few names', async () => {
  await get('/assets/none-12345678.js');
  await get('/model/none.onnx');
  const text = String((await get('/metrics')).bytes);
  const routes = new Set(Array.from(text.matchAll(/route="([^"]*)"/g), ([, route]) => route));
  expect([...routes].filter((route) => /asset|model\//.test(route)).sort()).toEqual([
    '/assets/*',
    '/model/:file',
  ]);
  expect(text).not.toMatch(/none-12345678|none\.onnx/);
  expect(String((await get('/openapi.json')).bytes)).not.toMatch(/assets|model\/\{file\}/);
});

test.each<[what: string, page: () => Promise<string | false>]>([
  ['turned off', async () => false],
  ['not built', async () => join(movies.folder.path, 'not-built')],
  [
    'without an index',
    async () => {
      const folder = join(movies.folder.path, 'empty');
      await mkdir(folder);
      return folder;
    },
  ],
])('where it is %s, all else is served', async (_, page) => {
  const server = await serve([movies.directory], { port: 0, logLevel: 'silent', page: await page() });
  try {
    expect(server.hasPage).toBe(false);
    for (const path of ['/', '/index.html', '/model/manifest.json']) await expectNothing(path, server.url);
    expect((await get('/recommend/u1', {}, 'GET', server.url)).status).toBe(200);
  } finally {
    await server.close();
  }
});

test('the page that is built is served, where it is', async (context) => {
  const page = await readPage();
  if (!page) context.skip('dist/page is not built');
  const server = await serve([movies.directory], { port: 0, logLevel: 'silent' });
  try {
    expect(server.hasPage).toBe(true);
    for (const [name, bytes] of Object.entries(page as Record<string, Buffer>)) {
      const answer = await get(`/${name}`, { 'accept-encoding': 'br' }, 'GET', server.url);
      expect({ name, status: answer.status }).toEqual({ name, status: 200 });
      const isCompressed = answer.headers['content-encoding'] === 'br';
      const found = isCompressed ? brotliDecompressSync(answer.bytes) : answer.bytes;
      expect({ name, sum: sha256(found) }).toEqual({ name, sum: sha256(bytes) });
    }
  } finally {
    await server.close();
  }
});
