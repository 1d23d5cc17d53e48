import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { download } from '../../src/data/movielens.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { zip } from './zip.ts';

const folder = temporaryFolder();
let directory: string;
let server: Server | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(folder.path, 'data-'));
});
afterEach(() => server?.closeAllConnections());
afterEach(() => new Promise((done) => (server ? server.close(done) : done(undefined))));

/** A server on this machine in place of GroupLens. */
async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/datasets`;
}

const archive = zip({
  'ml-100k/u.data': '1\t2\t3\t4\n',
  'ml-100k/mku/README': 'terms',
  '__MACOSX/junk': 'x',
});
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

const serving =
  (bytes: Buffer, sum = md5(bytes)): RequestListener =>
  (request, response) =>
    response.end(request.url?.endsWith('.md5') ? `MD5 (x.zip) = ${sum}\n` : bytes);

/** Downloads ml-100k, of which the archive here is the expected one. */
const fetched = async (listener: RequestListener, bytes = archive) =>
  download('ml-100k', directory, { baseUrl: await serve(listener), sums: { 'ml-100k': md5(bytes) } });

test('downloads, checks, unpacks, and leaves nothing else', async () => {
  const seen: (number | undefined)[][] = [];
  const urls: (string | undefined)[] = [];
  const baseUrl = await serve((request, response) => {
    urls.push(request.url);
    response.setHeader('content-length', archive.length).end(archive);
  });
  const result = await download('ml-100k', join(directory, 'new'), {
    baseUrl,
    sums: { 'ml-100k': md5(archive) },
    onProgress: (received, total) => seen.push([received, total]),
  });
  expect(result).toEqual({
    path: join(directory, 'new', 'ml-100k'),
    existed: false,
    notice:
      'MovieLens data is by GroupLens, University of Minnesota: free for research that acknowledges it, no commercial ' +
      `use without permission; see the README in ${join(directory, 'new', 'ml-100k')}`,
  });
  expect(urls).toEqual(['/datasets/ml-100k.zip']);
  expect(seen.at(-1)).toEqual([archive.length, archive.length]);
  expect(await readdir(join(directory, 'new'))).toEqual(['ml-100k']);
  expect(await readFile(join(result.path, 'u.data'), 'utf8')).toBe('1\t2\t3\t4\n');
  expect(await readFile(join(result.path, 'mku/README'), 'utf8')).toBe('terms');
});

test('the sum of a set that changes is fetched with it', async () => {
  const small = zip({ 'ml-latest-small/ratings.csv': 'userId\n' });
  const result = await download('ml-latest-small', directory, { baseUrl: await serve(serving(small)) });
  expect(await readdir(result.path)).toEqual(['ratings.csv']);
});

test('a folder that is there is left as it is, without network', async () => {
  await folder.write('ml-1m', 'mine');
  const fetch = () => expect.fail('no need to fetch');
  const { existed } = await download('ml-1m', folder.path, { fetch });
  expect(existed).toBe(true);
});

describe('mistakes leave nothing behind', () => {
  afterEach(async () => expect(await readdir(directory)).toEqual([]));

  test('no network', async () => {
    const baseUrl = await serve(() => {});
    await new Promise((done) => server?.close(done));
    expect(await userError(download('ml-100k', directory, { baseUrl }))).toBe(
      `no network: could not reach ${new URL(baseUrl).host} (ECONNREFUSED); download it by hand from ` +
        `${baseUrl}/ml-100k.zip and unzip it to ${directory}`,
    );
    const fetch = async () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }),
      });
    };
    expect(await userError(download('ml-100k', directory, { fetch }))).toBe(
      'no network: could not reach files.grouplens.org (ENOTFOUND); download it by hand from ' +
        `https://files.grouplens.org/datasets/movielens/ml-100k.zip and unzip it to ${directory}`,
    );
  });

  test('a connection that breaks off', async () => {
    const broken: RequestListener = (_, response) => {
      response.setHeader('content-length', archive.length).write(archive.subarray(0, 50));
      setTimeout(() => response.destroy(), 50);
    };
    expect(await userError(fetched(broken))).toMatch(
      /^no network: could not reach 127\.0\.0\.1:\d+ \(.+\); download/,
    );
  });

  test('an answer that is none', async () => {
    const missing: RequestListener = (_, response) => response.writeHead(404).end('<html>not\nfound');
    expect(await userError(fetched(missing))).toMatch(
      /ml-100k\.zip: the server answered 404; try again later$/,
    );
  });

  test('a wrong sum', async () => {
    expect(await userError(fetched(serving(Buffer.from('other'))))).toMatch(
      /ml-100k\.zip: arrived damaged, or has changed \(MD5 795f3202b17cb6bc3d4b771d8c6c9eaf, not [0-9a-f]{32}\); try again$/,
    );
  });

  test('no sum where one should be', async () => {
    const baseUrl = await serve(serving(archive, 'none'));
    expect(await userError(download('ml-latest-small', directory, { baseUrl }))).toMatch(
      /\.zip\.md5: has no MD5 sum; try again later$/,
    );
  });

  test.each([
    ['no archive', Buffer.from('<html>'.repeat(10)), /^ml-100k\.zip: cannot be unpacked \(.+\); try again$/],
    [
      'a name that leaves the folder',
      zip({ '../evil': 'x' }),
      /cannot be unpacked \(invalid relative path: \.\.\/evil\)/,
    ],
    ['an absolute name', zip({ '/tmp/evil': 'x' }), /cannot be unpacked \(absolute path: \/tmp\/evil\)/],
    [
      'a name twice removed',
      zip({ 'ml-100k/../../evil': 'x' }),
      /cannot be unpacked \(invalid relative path/,
    ],
    [
      'more than it says',
      zip({ 'ml-100k/a': 'x'.repeat(1e6) }, 10),
      /cannot be unpacked \(too many bytes in the stream/,
    ],
    [
      'far too much',
      zip({ 'ml-100k/a': 'x' }, 4e9 + 1),
      /cannot be unpacked \(it unpacks to more than 4 GB\)/,
    ],
    ['another folder', zip({ 'other/a': 'x' }), /ml-100k: cannot be moved into place \(ENOENT\); try again$/],
  ])('an archive with %s', async (_, bytes, message) => {
    expect(await userError(fetched(serving(bytes), bytes))).toMatch(message);
  });

  test('an unknown name', async () => {
    expect(await userError(download('ml-2m' as 'ml-1m', directory))).toBe(
      'no data set is called "ml-2m"; there are ml-latest-small, ml-100k, ml-1m, ml-25m, ml-32m',
    );
  });

  test('a stop by the user', async () => {
    const stop = new AbortController();
    const baseUrl = await serve((_, response) => {
      response.write('PK');
      setTimeout(() => stop.abort(), 50);
    });
    await expect(download('ml-100k', directory, { baseUrl, signal: stop.signal })).rejects.toThrow(/abort/);
  });
});

test('a folder that cannot be made', async () => {
  const file = await folder.write('file', '');
  expect(await userError(download('ml-100k', join(file, 'sub')))).toBe(
    `${join(file, 'sub')}: cannot be written (ENOTDIR); make room, or name another folder`,
  );
});
