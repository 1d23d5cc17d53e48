import { execFile, spawnSync } from 'node:child_process';
import { readFile as bytesOf } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { literal, withDatabase } from '../../src/data/read/duckdb.ts';
import { parseRatings } from '../../src/data/read/parse.ts';
import { readRatings } from '../../src/data/read/read.ts';
import type { Reading } from '../../src/data/read/reading.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { type BothOptions, type Listed, listed, sorted } from '../support/reading.ts';
import { runs } from '../support/soak.ts';

// Files that another program wrote come back as that program knows them.

const hasPython =
  spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;
const why = hasPython ? '' : ' (skipped: no python3 from 3.9 on)';
const FILES = runs(30, 300);

/** What `random_files.py` says about a file. */
interface Truth {
  readonly name: string;
  readonly options: BothOptions;
  readonly rows?: readonly (readonly [user: string, item: string, value: number, time: number | null])[];
  readonly refused?: string;
  readonly zstd?: boolean;
  readonly parquet?: {
    readonly select: string;
    readonly columns: Record<string, string>;
    readonly compression: string;
  };
}

const folder = temporaryFolder();

const pathOf = (number: number, name = ''): string => join(folder.path, String(number), name);

const truthOf = async (number: number): Promise<Truth> =>
  JSON.parse(await bytesOf(`${pathOf(number)}.json`, 'utf8'));

/** The file of a truth, in the format that the truth asks for. */
async function fileOf(number: number, { name, zstd, parquet }: Truth): Promise<string> {
  const path = pathOf(number, name);
  if (!zstd && !parquet) return path;
  const made = pathOf(number, `made-${name}`);
  const query = parquet
    ? `COPY (SELECT ${parquet.select} FROM read_json(${literal(path)}, format = 'newline_delimited', columns = ${structure(parquet.columns)}))
       TO ${literal(made)} (FORMAT parquet, COMPRESSION ${parquet.compression}, ROW_GROUP_SIZE 2048)`
    : `COPY (SELECT content FROM read_text(${literal(path)})) TO ${literal(made)}
       (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION zstd)`;
  await withDatabase((connection) => connection.run(query));
  return made;
}

const structure = (columns: Record<string, string>): string =>
  `{${Object.entries(columns).map(([name, type]) => `${literal(name)}: ${literal(type)}`)}}`;

/** The bytes of a file, as a page has them: unzipped. */
async function contentOf(path: string): Promise<Uint8Array> {
  const bytes = await bytesOf(path);
  return new Uint8Array(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
}

function expectRows({ ratings }: Reading, rows: NonNullable<Truth['rows']>, what: string): void {
  const wanted = sorted(
    rows.map(
      ([user, item, value, time]): Listed => [
        user,
        item,
        // −0 is 0.
        Math.fround(value) + 0,
        ...(time === null ? [] : [time]),
      ],
    ),
  );
  const found = sorted(listed(ratings).map((row): Listed => row.map((one) => (one === 0 ? 0 : one))));
  // Vitest takes seconds to compare as many numbers.
  if (!isDeepStrictEqual(found, wanted)) expect(found, what).toEqual(wanted);
  expect(new Set(ratings.userIds), what).toEqual(new Set(rows.map(([user]) => user)));
  expect(new Set(ratings.itemIds), what).toEqual(new Set(rows.map(([, item]) => item)));
}

describe.skipIf(!hasPython)(`random files${why}`, () => {
  beforeAll(async () => {
    const seed = String(inject('soak') ?? 1);
    await promisify(execFile)('python3', [
      '-B',
      'test/data/random_files.py',
      folder.path,
      seed,
      String(FILES),
    ]);
  });

  test.each(Array.from({ length: FILES }, (_, number) => number))('%i', async (number) => {
    const truth = await truthOf(number);
    const path = await fileOf(number, truth);
    const { options, rows, refused = '' } = truth;
    const parse = async () => parseRatings(await contentOf(path), path, options);
    const inPage = !truth.zstd && !truth.parquet;
    if (rows) {
      expectRows(await readRatings(path, options), rows, 'in Node');
      if (inPage) expectRows(await parse(), rows, 'in the page');
    } else {
      expect(await userError(readRatings(path, options)), 'in Node').toMatch(new RegExp(refused));
      if (refused !== 'cut off') expect(await userError(parse()), 'in the page').toMatch(new RegExp(refused));
    }
  });
});
