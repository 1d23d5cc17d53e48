import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { type BothOptions, lines, readers, sorted } from '../support/reading.ts';

// Data that was once read wrongly without a word. The numbers are worked out by hand.

const { folder, read, refused, readFile, refusedFile } = readers();

describe('a matrix of users and items', () => {
  const withHeader = lines('userId,1,2,3,4', '10,4,0,0,5', '11,,3,2,', '12,1,5,0,2');
  const jester = lines(...['1.5\t99\t-7.28', '99\t9.9\t99', '-10\t0\t3.5'].map((row) => wide(row, 100)));

  /** A row of so many fields, the last of them 99. */
  function wide(start: string, fields: number): string {
    const row = start.split('\t');
    return [...row, ...Array.from({ length: fields - row.length }, () => '99')].join('\t');
  }

  test.each([
    ['with a header', withHeader],
    ['without a header', lines('4,0,0,5,1,2', '0,3,2,0,4,1', '1,0,0,0,5,3')],
    ['of 100 columns', jester],
    ['of titles', lines('user;Alien;Brazil;Casablanca;Dune', 'ann;5;;3;', 'bob;;4;;1')],
  ])('%s is refused, and `wide` is named', async (_, content) => {
    expect(await refused(content)).toMatch(/^FILE: .*`wide/);
  });

  test('with a header, its columns are the items', async () => {
    const { rows, report } = await read(withHeader, { wide: true });
    expect(sorted(rows)).toEqual([
      ['10', '1', 4],
      ['10', '2', 0],
      ['10', '3', 0],
      ['10', '4', 5],
      ['11', '2', 3],
      ['11', '3', 2],
      ['12', '1', 1],
      ['12', '2', 5],
      ['12', '3', 0],
      ['12', '4', 2],
    ]);
    expect(report).toMatchObject({ ratings: 10, users: 3, items: 4, duplicates: 0 });
  });

  test.each(['0', 0])('%j for what is missing', async (missing) => {
    const { rows } = await read(withHeader, { wide: true, missing });
    expect(sorted(rows)).toEqual([
      ['10', '1', 4],
      ['10', '4', 5],
      ['11', '2', 3],
      ['11', '3', 2],
      ['12', '1', 1],
      ['12', '2', 5],
      ['12', '4', 2],
    ]);
  });

  test('without a header, rows and columns are numbered from 1', async () => {
    const { rows, kind } = await read(jester, { wide: true, missing: '99' } as BothOptions, 'jester.txt');
    expect(sorted(rows)).toEqual([
      ['1', '1', 1.5],
      ['1', '3', Math.fround(-7.28)],
      ['2', '2', Math.fround(9.9)],
      ['3', '1', -10],
      ['3', '2', 0],
      ['3', '3', 3.5],
    ]);
    expect(kind).toBe('ratings');
  });

  test('a column of users may be named, and items keep the numbers of their columns', async () => {
    const { rows } = await read(lines('u7\t5\t99\t2', 'u9\t1\t3\t99'), {
      wide: true,
      missing: '99',
      userColumn: '1',
    });
    expect(sorted(rows)).toEqual([
      ['u7', '2', 5],
      ['u7', '4', 2],
      ['u9', '2', 1],
      ['u9', '3', 3],
    ]);
  });

  test('of a spreadsheet: semicolons, decimal commas, titles in quotes, empty cells', async () => {
    const content = '\ufeff;"Alien; again";"Say ""hi"""\r\nann;4,5;\r\nbob;;3\r\n';
    expect(sorted((await read(content, { wide: true })).rows)).toEqual([
      ['ann', 'Alien; again', 4.5],
      ['bob', 'Say "hi"', 3],
    ]);
  });

  test('a cell that is no number is an error with its line', async () => {
    const message = await refused(lines('user,a,b', 'ann,4,5', 'bob,x,1'), { wide: true });
    expect(message).toMatch(/^FILE, line 3: .*"x"/);
  });

  test.each([
    ['MovieLens', lines('userId,movieId,rating,timestamp', '1,1,4,964982703', '1,3,4,964981247')],
    ['and ages', lines('user,item,rating,age,zip,income', '1,5,4,30,1000,5', '2,6,3,40,2000,6')],
    ['u.data', lines('196\t242\t3\t881250949', '186\t302\t3\t891717742')],
    ['five columns of numbers', lines('1,10,4,964982703,7', '2,11,5,964981247,8', '3,10,1,964981248,9')],
  ])('a file of one rating a line is none: %s', async (_, content) => {
    expect((await read(content)).rows.length).toBe(
      content.trim().split('\n').length - +/^user/.test(content),
    );
  });
});

describe('one column, one role', () => {
  test('the fourth column is no time where it has the ratings', async () => {
    const { rows } = await read(lines('0,ann,x,5', '1,ann,x,3', '2,bob,y,4'), {
      userColumn: '2',
      itemColumn: '3',
      ratingColumn: '4',
    });
    expect(rows).toEqual([
      ['ann', 'x', 3],
      ['bob', 'y', 4],
    ]);
  });

  test.each<BothOptions>([
    { userColumn: 'who', itemColumn: 'who' },
    { userColumn: 'who', itemColumn: '1' },
    { ratingColumn: 'rating', timeColumn: 'RATING' },
    { userColumn: 'who', countColumn: 'rating', timeColumn: 'rating' },
  ])('%j is refused', async (options) => {
    const content = lines('who,item,rating,time', 'ann,x,4,100', 'bob,y,5,200');
    expect(await refused(content, options)).toMatch(/^FILE: .*"(who|rating)"/);
  });
});

describe('Unix times are no ratings', () => {
  const seconds = [1_400_457_600, 1_400_457_660, 1_400_544_000];
  const noHeader = lines(...seconds.map((time, place) => `u${place}\tx${place % 2}\t${time}`));
  const inMilliseconds = lines(...seconds.map((time, place) => `u${place},x${place % 2},${time}000`));

  test.each([
    ['in a third column', noHeader],
    ['in milliseconds', inMilliseconds],
  ])('%s', async (_, content) => {
    expect(await refused(content, { kind: 'ratings' })).toMatch(/^FILE.*time/);
    const { rows, kind } = await read(content);
    expect(kind).toBe('interactions');
    expect(rows).toEqual(seconds.map((time, place) => [`u${place}`, `x${place % 2}`, 1, time]));
  });

  test.each([{}, { kind: 'interactions' }] as const)(
    'in a column called ratings, with %j',
    async (options) => {
      const content = `user\titem\trating\n${noHeader}`;
      expect(await refused(content, options)).toMatch(/^FILE: "rating" has times.*`ratingColumn: ''`/);
      const { rows, kind } = await read(content, { ratingColumn: '', timeColumn: 'rating' });
      expect(kind).toBe('interactions');
      expect(rows).toEqual(seconds.map((time, place) => [`u${place}`, `x${place % 2}`, 1, time]));
    },
  );
});

describe('thousands or decimals', () => {
  const ratings = lines('user;item;rating', 'a;x;1,500', 'b;y;2,250', 'c;x;3');
  const counts = lines('user\titem\tplays', 'a\tx\t1,500', 'b\ty\t2,250', 'c\tx\t3');

  test.each([ratings, counts])('three digits after every comma are ambiguous', async (content) => {
    expect(await refused(content)).toMatch(/^FILE.*`decimal/);
  });

  test.each([
    [ratings, ',' as const, [1.5, 2.25, 3]],
    [ratings, '.' as const, [1500, 2250, 3]],
    [counts, ',' as const, [1.5, 2.25, 3]],
    [counts, '.' as const, [1500, 2250, 3]],
  ])('as `decimal` says', async (content, decimal, expected) => {
    const { rows } = await read(content, { decimal });
    expect(rows.map(([, , value]) => value)).toEqual(expected);
  });

  test('one comma with fewer digits decides', async () => {
    const { rows } = await read(lines('user;item;rating', 'a;x;1,500', 'b;y;2,25', 'c;x;3'));
    expect(rows.map(([, , rating]) => rating)).toEqual([1.5, 2.25, 3]);
  });

  test('several commas in a number are thousands', async () => {
    const content = lines('user;item;plays', 'a;x;1,234,567', 'b;y;12');
    expect(await refused(content)).toMatch(/^FILE/);
    expect((await read(content, { decimal: '.' })).rows.map(([, , plays]) => plays)).toEqual([1_234_567, 12]);
  });

  test('within quotes between commas, too', async () => {
    const content = lines('user,item,rating', 'a,x,"3,5"', 'b,y,"4,0"');
    expect((await read(content, { decimal: ',' })).rows.map(([, , rating]) => rating)).toEqual([3.5, 4]);
  });
});

test('a first line with a decimal comma is no header', async () => {
  const { rows, said } = await read(lines('ann;x;4,5', 'bob;y;3,5', 'ann;y;2'));
  expect(rows).toEqual([
    ['ann', 'x', 4.5],
    ['bob', 'y', 3.5],
    ['ann', 'y', 2],
  ]);
  expect(said).toContain('no header');
});

describe('objects in JSON', () => {
  const objects = [
    { user: { id: 'ann', reviews: 1 }, item: { sku: { code: 'x' } }, rating: 5 },
    { user: { id: 'bob', reviews: 7 }, item: { sku: { code: 'y' } }, rating: 4 },
    { user: { id: 'ann', reviews: 2 }, item: { sku: { code: 'y' } }, rating: 3 },
  ];
  const expected = [
    ['ann', 'x', 5],
    ['bob', 'y', 4],
    ['ann', 'y', 3],
  ];
  const forms: [string, string][] = [
    ['rows.jsonl', lines(...objects.map((row) => JSON.stringify(row)))],
    ['rows.json', JSON.stringify(objects)],
    ['pretty.json', JSON.stringify(objects, null, 2)],
    ['inside.json', JSON.stringify({ ratings: objects })],
  ];
  const paths = { userColumn: 'user.id', itemColumn: 'item.sku.code' };

  test.each(forms)('are no ids: %s', async (name, content) => {
    expect(await refused(content, {}, name)).toMatch(/^FILE.*"user".*`userColumn: 'user.id'`/);
  });

  test.each(forms)('have ids at paths: %s', async (name, content) => {
    expect((await read(content, paths, name)).rows).toEqual(expected);
  });

  test('lists are no ids', async () => {
    const content = lines('{"user":["ann"],"item":"x","rating":5}', '{"user":["bob"],"item":"y","rating":4}');
    expect(await refused(content, {}, 'lists.jsonl')).toMatch(/^FILE.*user/);
  });

  test('one among plain ids is refused, with its line', async () => {
    const content = lines(
      '{"user":"ann","item":"x","rating":5}',
      '{"user":{"id":"bob"},"item":"y","rating":4}',
    );
    expect(await refused(content, {}, 'mixed.jsonl')).toMatch(/^FILE, line 2: /);
  });

  test('a name with a point is a name first', async () => {
    const content = lines(
      '{"user.id":"ann","item":"x","rating":5}',
      '{"user.id":"bob","item":"y","rating":4}',
    );
    expect((await read(content, { userColumn: 'user.id' }, 'point.jsonl')).rows).toEqual([
      ['ann', 'x', 5],
      ['bob', 'y', 4],
    ]);
  });

  test('Parquet has structures, too', async () => {
    const path = join(folder.path, 'structures.parquet');
    await withDatabase((connection) =>
      connection.run(
        `COPY (SELECT * FROM (VALUES ({'id': 'ann', 'n': 1}, {'sku': {'code': 'x'}}, 5), ({'id': 'bob', 'n': 7}, {'sku': {'code': 'y'}}, 4),
         ({'id': 'ann', 'n': 2}, {'sku': {'code': 'y'}}, 3)) AS t("user", item, rating)) TO '${path}'`,
      ),
    );
    expect(await refusedFile(path)).toMatch(/^FILE.*user/);
    expect((await readFile(path, paths)).rows).toEqual(expected);
  });
});

describe('two columns that fit a role', () => {
  test.each([
    ['customer,customer_id,item,rating', 'Ann,7,x,5', 'Ann,8,x,3', 'customer'],
    ['customer_id,customer,item,rating', '7,Ann,x,5', '8,Ann,x,3', 'customer'],
    ['item,rating,userId,user', 'x,5,7,Ann', 'x,3,8,Ann', 'user'],
    ['Customer ID;Customer;Item;Rating', '7;Ann;x;5', '8;Ann;x;3', 'Customer'],
  ])('%s: the id is taken, and both are named', async (header, one, two, other) => {
    const { rows, said } = await read(lines(header, one, two));
    expect(rows).toEqual([
      ['7', 'x', 5],
      ['8', 'x', 3],
    ]);
    expect(said).toContain(`"${other}"`);
    expect(said).toMatch(/"(customer_id|userId|Customer ID)"/);
  });

  test.each([
    ['movie,movie_id', 'Alien', '1', 'item'],
    ['product_id,product', '1', 'Alien', 'item'],
  ])('items: %s', async (header, one, two) => {
    const { rows, said } = await read(
      lines(`user,${header},rating`, `ann,${one},${two},5`, `bob,${one},${two},3`),
    );
    expect(rows.map(([, item]) => item)).toEqual(['1', '1']);
    expect(said).toMatch(/"(movie|product)_id"/);
  });

  test('ratings: which one is taken is said', async () => {
    const { rows, said } = await read(lines('user,item,score,rating', 'ann,x,90,4', 'bob,y,20,1'));
    expect(rows.map(([, , rating]) => rating)).toEqual([4, 1]);
    expect(said).toMatch(/"rating"/);
    expect(said).toMatch(/"score"/);
  });

  test('an option decides without a word', async () => {
    const { rows, said } = await read(lines('customer,customer_id,item,rating', 'Ann,7,x,5', 'Bob,7,y,3'), {
      userColumn: 'customer',
    });
    expect(rows.map(([user]) => user)).toEqual(['Ann', 'Bob']);
    expect(said).toBe('');
  });
});
