import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { fingerprint } from '../../src/data/dataset/dataset.ts';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { temporaryFolder, userError } from '../support/files.ts';

// Large files are read by two threads, of which the second is the built `read-thread.js`.

const ROWS = 2_300_000;
const folder = temporaryFolder();

/** A row, so many of which are more than the text that one thread reads. Some ids have line breaks, delimiters or other letters. */
function rowOf(index: number): readonly [user: string, item: string, rating: number] {
  const user = (index * 7919) % 40_009;
  const item = Math.imul(index, 31_337) >>> 18;
  const name = user % 50 === 0 ? `zoë "${user}",\n` : user % 50 === 1 ? `用户${user}` : String(user);
  return [name, `i${item}`, 0.5 + (index % 10) / 2];
}

/** What those rows are, in typed arrays. */
function expected() {
  const rows = {
    users: new Int32Array(ROWS),
    items: new Int32Array(ROWS),
    ratings: new Float32Array(ROWS),
  };
  const [userRows, itemRows] = [new Map<string, number>(), new Map<string, number>()];
  const numbered = (rows: Map<string, number>, id: string): number => {
    const row = rows.get(id.trim()) ?? rows.size;
    rows.set(id.trim(), row);
    return row;
  };
  for (let index = 0; index < ROWS; index++) {
    const [user, item, rating] = rowOf(index);
    rows.users[index] = numbered(userRows, user);
    rows.items[index] = numbered(itemRows, item);
    rows.ratings[index] = rating;
  }
  return { ...rows, userIds: [...userRows.keys()], itemIds: [...itemRows.keys()] };
}

async function write(name: string, lineBreak: string, bad?: number): Promise<string> {
  const path = join(folder.path, name);
  const out = createWriteStream(path);
  out.write(`user,item,rating${lineBreak}`);
  for (let index = 0; index < ROWS; ) {
    const lines: string[] = [];
    for (const end = Math.min(ROWS, index + 50_000); index < end; index++) {
      const [user, item, rating] = rowOf(index);
      const text = /["\n]/.test(user) ? `"${user.replaceAll('"', '""')}"` : user;
      lines.push(`${text},${item},${index === bad ? 'bad' : rating}${lineBreak}`);
    }
    if (!out.write(lines.join(''))) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  return path;
}

let csv: string;

beforeAll(async () => {
  csv = await write('large.csv', '\n');
});

/** Every row, without merging those of the same user and item, which readRatings does. */
const rowsOf = async (path: string) => {
  const { readTable } = await import('../../src/data/read/table.ts');
  return readTable([path], {}, { wanted: ['user', 'item', 'rating'], welcome: [] });
};

function expectSame(found: Awaited<ReturnType<typeof rowsOf>>): void {
  const wanted = expected();
  // Vitest takes seconds to compare as many.
  for (const key of ['userIds', 'itemIds', 'users', 'items', 'ratings'] as const)
    expect(isDeepStrictEqual(found[key], wanted[key]), key).toBe(true);
}

describe('two threads read a large file as one does', () => {
  test('of text, with line breaks and other letters where pieces begin', async () =>
    expectSame(await rowsOf(csv)));

  test('of text with Windows line breaks', async () =>
    expectSame(await rowsOf(await write('crlf.csv', '\r\n'))));

  test('of Parquet', async () => {
    const path = join(folder.path, 'large.parquet');
    await withDatabase((connection) =>
      connection.run(
        `COPY (FROM read_csv('${csv}', all_varchar = true, new_line = '\\n', quote = '"', escape = '"')) TO '${path}' (ROW_GROUP_SIZE 100000)`,
      ),
    );
    expectSame(await rowsOf(path));
  });

  test('and name the line of a bad row, wherever it is', async () => {
    const bad = 1_700_001;
    let line = 2;
    for (let index = 0; index < bad; index++) line += rowOf(index)[0].endsWith('\n') ? 2 : 1;
    const path = await write('bad.csv', '\n', bad);
    expect(await userError(readRatings(path))).toContain(`${path}, line ${line}: "bad" in column "rating"`);
    const { report } = await readRatings(path, { skipBadRows: true });
    expect(report.ratings + report.duplicates).toBe(ROWS - 1);
  });

  test('with any memory', async () => {
    const read = async (memory?: number): Promise<string> => {
      const { ratings } = await readRatings(csv, { store: { memory, folder: folder.path } });
      expect(ratings.storedIn).toBeDefined();
      const hash = await fingerprint(ratings);
      await ratings.close();
      return hash;
    };
    expect(await read(65e6)).toBe(await read());
  });
});
