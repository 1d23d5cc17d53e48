import { describe, expect, test } from 'vitest';
import { parseRatings } from '../../src/data/read/parse.ts';
import { userError } from '../support/files.ts';
import { lines, readers } from '../support/reading.ts';

// Shapes of files in the field that newcomers brought: read rightly, refused, or pointed out.

const { folder, read, readFile, refused } = readers();

const rowsOf = (count: number, row: (at: number) => string): string =>
  `${Array.from({ length: count }, (_, at) => row(at)).join('\n')}\n`;

describe('JSON', () => {
  const objects = [
    { user: 'ann', item: 'x', rating: 5, time: 1_400_457_600 },
    { user: 'bob', item: 'y', rating: 4, time: 1_400_457_601 },
    { user: 'ann', item: 'y', rating: 3, time: 1_400_457_602 },
  ];
  const expected = [
    ['ann', 'x', 5, 1_400_457_600],
    ['bob', 'y', 4, 1_400_457_601],
    ['ann', 'y', 3, 1_400_457_602],
  ];
  const others = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`other${at}`, at]));
  const inLines = objects.map((row) => JSON.stringify(row)).join(',\n');

  test.each<[string, string]>([
    ['with many other keys before', lines(...objects.map((row) => JSON.stringify({ ...others, ...row })))],
    [
      'with many other keys between',
      lines(
        ...objects.map(({ user, item, rating, time }) =>
          JSON.stringify({ rating, user, ...others, time, item }),
        ),
      ),
    ],
    ['with a record in each line of a list', `{"ratings":[\n${inLines}\n]}\n`],
    [
      'with empty objects in lines of their own',
      JSON.stringify({ made: 'today', ratings: objects.map((row) => ({ ...row, tags: [{}, {}] })) }, null, 2),
    ],
  ])('%s', async (_, content) => {
    expect((await read(content, {}, 'rows.json')).rows).toEqual(expected);
  });

  test('with paths to all columns', async () => {
    const rows = objects.map(({ user, item, rating, time }) => ({
      user: { id: user },
      item: { id: item },
      rating: { n: String(rating) },
      at: { s: time },
    }));
    const paths = {
      userColumn: 'user.id',
      itemColumn: 'item.id',
      ratingColumn: 'rating.n',
      timeColumn: 'at.s',
    };
    expect((await read(lines(...rows.map((row) => JSON.stringify(row))), paths, 'rows.jsonl')).rows).toEqual(
      expected,
    );
  });
});

describe('spaces between fields', () => {
  test('and decimal commas', async () => {
    const { rows } = await read(lines('1 2 4,5', '1 3 3,5', '2 2 1,0'));
    expect(rows).toEqual([
      ['1', '2', 4.5],
      ['1', '3', 3.5],
      ['2', '2', 1],
    ]);
  });

  test('and a row that is broken', async () => {
    const content = lines('user item rating', 'a x 5', 'b y', 'c z 3');
    expect(await refused(content)).toMatch(/^FILE, line 3: 2 fields where the header has 3/);
    expect((await read(content, { skipBadRows: true })).rows.length).toBe(2);
  });

  test('and quotes, as R writes them', async () => {
    const { rows } = await read(lines('"user" "item" "rating"', '"ann b" "x" 5', '"bob" "y" 4'));
    expect(rows).toEqual([
      ['ann b', 'x', 5],
      ['bob', 'y', 4],
    ]);
    const named = lines('"user" "item" "rating"', '"1" "ann" "x" 5', '"2" "bob" "y" 4');
    expect((await read(named)).rows).toEqual([
      ['ann', 'x', 5],
      ['bob', 'y', 4],
    ]);
  });
});

describe('decimal commas in quotes between commas', () => {
  test.each([{}, { userColumn: '1', itemColumn: '2', ratingColumn: '3' }])(
    'make no header of the first row, with %j',
    async (options) => {
      const content = lines('a,x,"4,5"', 'b,y,"3,5"', 'b,x,"2,0"');
      expect((await read(content, { decimal: ',', ...options })).rows).toEqual([
        ['a', 'x', 4.5],
        ['b', 'y', 3.5],
        ['b', 'x', 2],
      ]);
    },
  );
});

describe('matrices', () => {
  const cells = (at: number, most: number): number[] =>
    Array.from({ length: 20 }, (_, column) => (at * 37 + column * 11) % most);
  const header = Array.from({ length: 20 }, (_, column) => column + 1).join(',');

  test.each([
    ['of ratings to 100', rowsOf(20, (at) => cells(at, 101).join(','))],
    [
      'of ratings to 100, with a header',
      `userId,${header}\n${rowsOf(20, (at) => `${at},${cells(at, 101)}`)}`,
    ],
    [
      'of counts, most of them 0',
      rowsOf(20, (at) =>
        cells(at, 101)
          .map((cell) => (cell % 7 ? 0 : cell * at))
          .join('\t'),
      ),
    ],
  ])('%s are refused', async (_, content) => {
    expect(await refused(content)).toMatch(/^FILE.*`wide/);
  });

  test('have their users in a first column of words', async () => {
    const { rows } = await read(lines('ann,4,0,5', 'bob,1,,3', 'cleo,2,2,1'), { wide: true });
    expect(rows.slice(0, 4)).toEqual([
      ['ann', '2', 4],
      ['ann', '3', 0],
      ['ann', '4', 5],
      ['bob', '2', 1],
    ]);
  });

  test.each([
    [{ missing: '99' }, 'wide'],
    [{ wide: true, ratingColumn: 'A' }, 'ratingColumn'],
  ])('%j is refused', async (options, name) => {
    expect(await refused(lines('user,A,B,C', 'ann,1,3,4', 'bob,2,3,1'), options)).toContain(name);
  });
});

describe('columns', () => {
  test.each([
    ['two of one name', lines('user,user,item,rating', 'a,c,x,5', 'b,d,y,4')],
    ['two ratings of one name', lines('user,item,rating,rating', 'a,x,5,1', 'b,y,4,2')],
    ['two that differ in how they are written', lines('user_id,userId,item,rating', 'a,c,x,5', 'b,d,y,4')],
  ])('%s are not chosen from in silence', async (_, content) => {
    const said = await read(content).then(
      (found) => found.said,
      (error: Error) => error.message,
    );
    expect(said).toMatch(/"(user|rating|userId)"/);
  });

  test.each([
    [
      'check-ins',
      rowsOf(30, (at) => `${at % 5}\t2010-10-${10 + (at % 20)}T23:55:27Z\t30.${at}\t-97.${at}\t${at % 9}`),
    ],
    ['clicks', rowsOf(30, (at) => `${at % 5},2014-04-07T10:51:${10 + at}.277Z,2145365${at % 9},0`)],
  ])('a second column of times holds no items: %s', async (_, content) => {
    expect(await refused(content)).toMatch(/^FILE.*`itemColumn`/);
  });

  test('a fourth column of dates is one of times without a header', async () => {
    const { rows } = await read(lines('a,x,4,24.12.2020', 'b,y,3,25.12.2020', 'a,x,2,23.12.2020'));
    expect(rows).toEqual([
      ['a', 'x', 4, 1_608_768_000],
      ['b', 'y', 3, 1_608_854_400],
    ]);
  });

  test('names that are dates are a header', async () => {
    expect(await refused(lines('user,2020-01-01,2020-01-02', 'ann,5,3', 'bob,2,4'))).toMatch(/^FILE/);
  });

  test('a header that comes again in interactions is no row', async () => {
    const content = lines('user,item', 'a,x', 'user,item', 'b,y');
    expect(await refused(content)).toMatch(/^FILE, line 3: /);
  });
});

describe('values', () => {
  test('one row in five with -1, far below the others, is pointed out', async () => {
    const content = `user_id,anime_id,rating\n${rowsOf(200, (at) => `u${at % 9},a${at},${at % 5 === 0 ? -1 : 5 + ((at * 7) % 6)}`)}`;
    expect((await read(content)).said).toContain('dropRating');
  });

  test.each(['1400457600000', '1400457600000000', '1400457600000000000'])(
    '%s is a time in 2014',
    async (time) => {
      expect((await read(lines('user,item,rating,time', `a,x,5,${time}`, `b,y,4,${time}`))).rows[0][3]).toBe(
        1_400_457_600,
      );
    },
  );
});

test('an open quote takes no good rows with it when bad rows are skipped', async () => {
  const rows = Array.from({ length: 25_000 }, (_, at) => `u${at % 500},x${at},${1 + (at % 5)}`);
  rows[99] = '"b,y,4';
  rows[20_000] = 'c,"x, y",3';
  const { report, said } = await read(lines('user,item,rating', ...rows), { skipBadRows: true });
  expect(report.ratings).toBe(24_999);
  expect(said).toMatch(/^1 row is left out.*line 101\b/);
});

test('a name in Windows-1252 is decoded as the fields are', async () => {
  const path = await folder.write(
    'names.csv',
    Buffer.from('user,item,my\x92rating\na,x,3\nb,y,4\n', 'latin1'),
  );
  const { rows } = await readFile(path, { encoding: 'windows-1252', ratingColumn: 'my’rating' });
  expect(rows.length).toBe(2);
  const content = Buffer.from('user,item,rating\n\x80uro,x,3\nb,y,4\n', 'latin1');
  expect((await read(content, { encoding: 'windows-1252' })).rows[0][0]).toBe('€uro');
});

test('UTF-16 without a mark asks for the encoding', async () => {
  const path = await folder.write('unmarked.csv', Buffer.from(lines('user,item,rating', 'a,x,3'), 'utf16le'));
  await expect(readFile(path)).rejects.toThrow('`encoding');
});

describe('the page', () => {
  const inPage = (content: string | Uint8Array, options = {}) =>
    userError((async () => parseRatings(content, 'FILE', options))());

  test('refuses bytes that are no UTF-8', async () => {
    expect(await inPage(Buffer.from(lines('user,item,rating', 'Zo\xeb,x,4', 'b,x,2'), 'latin1'))).toMatch(
      /^FILE.*UTF-8/,
    );
  });

  test.each<[string, string, RegExp]>([
    [
      'Matrix Market',
      lines(
        '%%MatrixMarket matrix coordinate real general',
        '%',
        '3 3 4',
        '1 1 5',
        '1 2 3',
        '2 1 4',
        '3 3 1',
      ),
      /Matrix Market/,
    ],
    ['HTML', '<!DOCTYPE html>\n<html><body>no</body></html>\n', /HTML/],
  ])('calls %s that', async (_, content, name) => {
    expect(await inPage(content)).toMatch(name);
  });

  test('leaves the bytes that it reads as they are', () => {
    const text = 'user,item,rating\n"a""b",x,5\n"c""""d",y,4\n';
    for (const bytes of [new TextEncoder().encode(text), Buffer.from(text)]) {
      expect(parseRatings(bytes, 'FILE').ratings.userIds).toEqual(['a"b', 'c""d']);
      expect(new TextDecoder().decode(bytes)).toBe(text);
    }
  });

  test('names no option "undefined"', async () => {
    expect(await inPage(lines('a,x,5', 'b,y,4'), { userColumn: '9' })).not.toContain('undefined');
  });
});
