import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { literal, withDatabase } from '../../src/data/read/duckdb.ts';
import type { ReadOptions } from '../../src/data/read/read.ts';
import { understandRatings } from '../../src/index.ts';
import type * as Web from '../../src/web.ts';
import { browserTests, staticHost } from '../support/browser.ts';
import { temporaryFolder } from '../support/files.ts';

// What a page understands of files, without training on them.

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();
const host = staticHost(() => ({ '/': `${join(folder.path, 'site')}/` }));
const inBrowser = browserTests();

declare const library: typeof Web;

const header = 'user;item;rating;time\n';
const lines = Array.from(
  { length: 200 },
  (_, row) => `zoë${row % 20};ü${(row * 7) % 33};${row % 11};${1e9 + row}`,
);
const csv = `${header}${lines.join('\n')}\n`;
const latin = Buffer.from(csv, 'latin1');
const json = JSON.stringify(
  lines.map((line) => {
    const [user, item, rating] = line.split(';');
    return { user: { id: user, reviews: 1 }, item, rating: Number(rating) };
  }),
);

beforeAll(async () => {
  await mkdir(join(folder.path, 'site'));
  await folder.write('site/index.html', '<!doctype html><title>Plain</title>');
  await cp(join(root, 'dist/standalone'), join(folder.path, 'site/cofactor'), { recursive: true });
});

/** A page that has the library as `library`. */
async function opened(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(host.url);
  await page.addScriptTag({
    type: 'module',
    content: `import * as library from '/cofactor/web.js'; window.library = library;`,
  });
  await page.waitForFunction('window.library');
  return page;
}

/** What the page understands, or the one line that says why it does not. */
async function inPage(page: Page, name: string, content: Buffer | string, options: object = {}) {
  const bytes = [...Buffer.from(content)];
  return page.evaluate(
    ({ name, bytes, options }) =>
      library.understand(new File([Uint8Array.from(bytes)], name), options).catch(String),
    { name, bytes, options },
  );
}

async function zstd(text: string): Promise<Buffer> {
  const [from, to] = [await folder.write('plain.csv', text), join(folder.path, 'small.csv.zst')];
  await withDatabase((connection) =>
    connection.run(
      `COPY (SELECT * FROM read_csv(${literal(from)}, all_varchar = true, delim = ';')) TO ${literal(to)} (FORMAT csv, DELIMITER ';', COMPRESSION zstd)`,
    ),
  );
  return readFile(to);
}

inBrowser('understands files as Node does', async (context) => {
  const page = await opened(context);
  const cases: [name: string, content: Buffer | string, options?: ReadOptions][] = [
    ['rows.csv', csv],
    ['rows.csv.gz', gzipSync(csv)],
    ['rows.csv.zst', await zstd(csv)],
    ['latin.csv', latin, { encoding: 'latin-1', dropRating: 0 }],
    ['sixteen.csv', Buffer.from(`\ufeff${csv}`, 'utf16le')],
    [
      'gbk.csv',
      Buffer.concat([latin.subarray(0, 22), Buffer.from([0xd6, 0xd0]), Buffer.from(';a;1;5\n')]),
      { encoding: 'gbk' },
    ],
    ['rows.json', json, { userColumn: 'user.id' }],
    [
      'rows.jsonl.gz',
      gzipSync(json.slice(1, -1).replaceAll('},{', '}\n{')),
      { userColumn: 'user.id', duplicates: 'mean' },
    ],
    ['bad.csv', `${csv}zoë1;a;good;1\nzoë1\n`, { skipBadRows: true, minRatings: 3 }],
    ['matrix.csv', 'userId,1,2,3,4\n10,4,99,2,5\n11,1,3,99,2\n', { wide: true, missing: '99' }],
    [
      'plays.txt',
      'ann,x,"1,5",view\nben,y,2,buy\n',
      { countColumn: '3', eventColumn: '4', decimal: ',', header: false },
    ],
  ];
  for (const [name, content, options] of cases) {
    const path = await folder.write(name, content);
    const { files, ...expected } = await understandRatings(path, options);
    const [file] = files;
    const found = await inPage(page, name, content, options);
    expect(found).toEqual({
      ...expected,
      files: [{ ...file, file: name }],
      assumptions: expected.assumptions.map((sentence) => sentence.replaceAll(path, name)),
    });
  }
});

inBrowser('says what a file is that it cannot read, and what to do', async (context) => {
  const page = await opened(context);
  const gzip = gzipSync(csv);
  const small = await zstd(csv);
  const cases: [content: Buffer | string, options: object, message: string][] = [
    ['', {}, 'mine: is empty'],
    [latin, {}, 'mine, line 2: is not UTF-8 text; name its encoding, such as `encoding'],
    [latin, { encoding: 'shift_jis' }, 'mine: is not shift_jis text'],
    [latin, { encoding: 'klingon' }, 'encoding is "klingon"; give a name of the Encoding Standard'],
    [csv, { user: 'user' }, 'there is no option "user"'],
    [csv, { userColumn: 'who' }, 'mine: no column "who" (`userColumn`)'],
    [gzip.subarray(0, 300), {}, 'mine: the gzip file is damaged or cut off ('],
    [small.subarray(0, 300), {}, 'mine: the zstd file is damaged or cut off (unexpected end of file)'],
    ['PAR1', {}, 'mine: Parquet is not read in a page'],
    ['PK\x03\x04', {}, 'mine: is a zip archive or a spreadsheet'],
    [gzipSync('SQLite format 3\0'), {}, 'mine: is an SQLite database'],
    ['<!doctype html>', {}, 'mine: is a web page (HTML)'],
    ['a\x01b', {}, 'mine: is not a text file; give CSV, TSV or JSON'],
    [`${csv}a;b\n`, {}, 'mine, line 202: 2 fields where the header has 4'],
  ];
  for (const [content, options, message] of cases)
    expect(String(await inPage(page, 'mine', content, options)).slice(0, 11 + message.length)).toBe(
      `UserError: ${message}`,
    );
});

inBrowser('stops reading when it is told to', async (context) => {
  const page = await opened(context);
  const stopped = await page.evaluate(async (csv) => {
    const stop = new AbortController();
    const reading = library.understand(new Blob([csv]), { signal: stop.signal });
    stop.abort('enough');
    const early = library.understand(new Blob([csv]), { signal: AbortSignal.abort('before') });
    return [await reading.catch(String), await early.catch(String)];
  }, csv);
  expect(stopped).toEqual(['enough', 'before']);
});
