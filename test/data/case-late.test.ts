import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { lines, readers } from '../support/reading.ts';

// What a reader that judges a file by its first rows reads wrongly: rows that look otherwise far below.

const { folder, read, refused, readFile, refusedFile } = readers();

const MANY = 120_000;

/** A row of numbers alone: each pair of a user and an item once. */
const row = (at: number): [user: string, item: string, rating: string, time: string] => [
  String(at % 500),
  String(Math.floor(at / 500)),
  String(1 + (at % 5)),
  String(1_000_000_000 + at),
];

const before = Array.from({ length: MANY }, (_, at) => row(at).join(',')).join('\n');

/** Many rows of numbers, with other rows after them. */
const after = (...last: readonly string[]): string => lines('user,item,rating,time', before, ...last);

const expected = ([user, item, rating, time]: string[]) => [user, item, Number(rating), Number(time)];

describe('after 120,000 rows of numbers', () => {
  test.each<[string, string[]]>([
    ['an id that is a word', ['ann', 'x', '3', '5']],
    ['zeros before a number', ['007', '0', '3', '5']],
    ['a number past 2⁵³', ['9007199254740993', '9007199254740992', '3', '5']],
    ['a number past 2⁶⁴', ['36893488147419103233', '36893488147419103232', '3', '5']],
    ['numbers below 0', ['-7', '-0', '3', '5']],
    ['signs, points and powers', ['+7', '1e3', '3', '5']],
    ['a point', ['7.0', '1.', '3', '5']],
    ['a date as an id', ['2020-01-01', '12:30', '3', '5']],
    ['true as an id', ['true', 'inf', '3', '5']],
    ['parts of a rating', ['a', 'b', '2.375', '5']],
    ['a rating below 0', ['a', 'b', '-1.5', '5']],
    ['parts of a second', ['a', 'b', '3', '5.75']],
  ])('%s', async (_, last) => {
    const { rows, report } = await read(after(last.join(',')));
    expect(report).toMatchObject({ ratings: MANY + 1, duplicates: 0 });
    expect(rows[MANY - 1]).toEqual(expected(row(MANY - 1)));
    expect(rows.at(-1)).toEqual(expected(last));
  });

  test('a date, and times that are numbers', async () => {
    expect((await read(after('a,b,3,2001-09-09'))).rows.at(-1)).toEqual(['a', 'b', 3, 999_993_600]);
  });

  test('the later of two ratings of a pair', async () => {
    const { rows, report } = await read(after('7,0,5,9999999999', '8,0,5,5'));
    expect(report).toMatchObject({ ratings: MANY, duplicates: 2 });
    expect(rows.find(([user, item]) => user === '7' && item === '0')).toEqual(['7', '0', 5, 9_999_999_999]);
    expect(rows.find(([user, item]) => user === '8' && item === '0')).toEqual(expected(row(8)));
  });

  test.each([
    ['a,b', 'line 120002: 2 fields where the header has 4'],
    ['a,b,3,5,x', 'line 120002: 5 fields where the header has 4'],
    ['a,b,good,5', 'line 120002: "good"'],
    ['a,,3,5', 'line 120002: an empty id in column "item"'],
    ['NULL,b,3,5', 'line 120002: '],
    ['a,b,3,May', 'line 120002: "May" in column "time" is not a time'],
    ['"a,b,3,5', 'line 120002: a quote is not closed'],
  ])('%s is refused', async (last, message) => {
    expect(await refused(after(last))).toContain(message);
  });
});

describe('in Parquet', () => {
  const write = async (name: string, last: string): Promise<string> => {
    const path = join(folder.path, name);
    await withDatabase((connection) =>
      connection.run(
        `COPY (SELECT range % 500 AS "user", range // 500 AS item, (1 + range % 5)::DOUBLE AS rating FROM range(${MANY})
         UNION ALL BY NAME SELECT ${last}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 20000)`,
      ),
    );
    return path;
  };

  test('numbers past 2⁵³', async () => {
    const path = await write(
      'large.parquet',
      '9007199254740993 AS "user", 9007199254740992 AS item, 2.5 AS rating',
    );
    const { rows } = await readFile(path);
    expect(rows.length).toBe(MANY + 1);
    expect(rows.at(-1)).toEqual(['9007199254740993', '9007199254740992', 2.5]);
  });

  test.each([
    ['NULL AS "user", 1 AS item, 2 AS rating', '"user"'],
    ['1 AS "user", NULL AS item, 2 AS rating', '"item"'],
    ['1 AS "user", 1 AS item, NULL AS rating', '"rating"'],
    [`1 AS "user", 1 AS item, 'nan'::DOUBLE AS rating`, '"rating"'],
    [`1 AS "user", 1 AS item, 'infinity'::DOUBLE AS rating`, '"rating"'],
  ])('%s is refused', async (last, column) => {
    expect(await refusedFile(await write('bad.parquet', last))).toMatch(
      new RegExp(`^FILE, row ${MANY + 1}: .*${column}`),
    );
  });
});
