import { describe, expect, test } from 'vitest';
import { type Listed, lines, readers } from '../support/reading.ts';

// Rows that were once read wrongly without a word. The numbers are worked out by hand.

const { read, refused } = readers();

describe('missing values are no ids', () => {
  test.each(['\\N', 'NULL', 'null', 'nan', 'NaN', 'None', 'NA'])('%s', async (word) => {
    const content = lines('user,item,rating', 'ann,x,5', `${word},y,4`, `${word},x,3`);
    expect(await refused(content)).toMatch(/^FILE, line 3: .*"user"/);
    const items = lines('user,item,rating', 'ann,x,5', 'bob,x,4', `cleo,${word},3`);
    expect(await refused(items)).toMatch(/^FILE, line 4: .*"item"/);
  });

  test.each(['{"item":"y","rating":4}', '{"user":null,"item":"y","rating":4}'])('%s', async (line) => {
    const content = lines('{"user":"ann","item":"x","rating":5}', line);
    expect(await refused(content, {}, 'rows.jsonl')).toMatch(/^FILE, line 2: .*"user"/);
  });

  test('words that have them within are ids', async () => {
    const { rows } = await read(lines('user,item,rating', 'Nanette,NULLARBOR,5', 'Nona,None of us,4'));
    expect(rows).toEqual([
      ['Nanette', 'NULLARBOR', 5],
      ['Nona', 'None of us', 4],
    ]);
  });
});

describe('ids that look alike', () => {
  test('white space at the ends is none of theirs, and this is said', async () => {
    const content = lines(
      'user;item;rating',
      ' ann ;x;5',
      'ann;"y\t";4',
      '"bob  b";x ;3',
      '\u00a0bob  b;y;2',
    );
    const { rows, said } = await read(content);
    expect(rows).toEqual([
      ['ann', 'x', 5],
      ['ann', 'y', 4],
      ['bob  b', 'x', 3],
      ['bob  b', 'y', 2],
    ]);
    expect(said).toMatch(/space/);
  });

  test('nothing is said where there is none', async () => {
    expect((await read(lines('user,item,rating', 'ann,x,5', 'bob b,y,4'))).said).toBe('');
  });

  test('an id of white space alone is empty', async () => {
    const content = lines('user,item,rating', 'ann,x,5', '  ,y,4');
    expect(await refused(content)).toMatch(/^FILE, line 3: an empty id in column "user"/);
  });

  test('numbers that differ in how they are written are named', async () => {
    const { rows, said } = await read(lines('user,item,rating', '1,x,5', '1.0,y,4', '2,x,3'));
    expect(rows.map(([user]) => user)).toEqual(['1', '1.0', '2']);
    expect(said).toMatch(/"1"/);
    expect(said).toMatch(/"1\.0"/);
  });
});

describe('users in the second column', () => {
  /** 40 users with 8 of 30 items each, a minute apart in one sitting; items in order, as in files of reviews. */
  const sittings = Array.from({ length: 320 }, (_, index) => {
    const user = index % 40;
    const item = (user * 7 + Math.floor(index / 40) * 11) % 30;
    return { user: `u${user}`, item: `i${item}`, rating: 1 + ((index * 7) % 5), time: 1_300_000_000 };
  })
    .map((row, index) => ({
      ...row,
      time: row.time + 86_400 * 20 * ((Number(row.user.slice(1)) * 17) % 40) + 60 * Math.floor(index / 40),
    }))
    .sort((one, other) => (one.item < other.item ? -1 : 1));

  test('are pointed out where each has its times close together', async () => {
    const { rows, said } = await read(
      lines(...sittings.map(({ user, item, rating, time }) => [item, user, rating, time].join(','))),
    );
    expect(rows.length).toBe(320);
    expect(said).toMatch(/second|column 2/);
    expect(said).toMatch(/`(userColumn|itemColumn)`|userColumn|itemColumn/);
  });

  test('are not looked for where they are in the first', async () => {
    const { said } = await read(
      lines(...sittings.map(({ user, item, rating, time }) => [user, item, rating, time].join(','))),
    );
    expect(said).toBe('FILE: no header, so columns by position: user 1, item 2, rating 3, time 4');
  });
});

describe('values for "not rated"', () => {
  /** So many rows with the value, and 40 with 1 to 10. */
  const books = (value: number, often: number): string =>
    lines(
      'User-ID;ISBN;Book-Rating',
      ...Array.from({ length: often }, (_, at) => `u${at % 15};none${at};${value}`),
      ...Array.from({ length: 40 }, (_, at) => `u${at % 15};b${at % 20};${1 + (at % 10)}`),
    );
  // 40 pairs: at mod 15 and at mod 20 name at < 60 uniquely.
  const rated: Listed[] = Array.from({ length: 40 }, (_, at) => [
    `u${at % 15}`,
    `b${at % 20}`,
    1 + (at % 10),
  ]);

  test.each([
    [0, 60],
    [0, 35],
    [-1, 30],
  ])('%i in %i rows of more is pointed out, and left out on demand', async (value, often) => {
    expect((await read(books(value, often))).said).toMatch(/dropRating/);
    const { rows, said, kind } = await read(books(value, often), { dropRating: value });
    expect(kind).toBe('ratings');
    expect(rows).toEqual(rated);
    expect(said).toContain(String(often));
  });

  test('thumbs and scales that start at 0 evenly are not', async () => {
    const even = lines(
      'user,item,rating',
      ...Array.from({ length: 60 }, (_, at) => `u${at % 7},i${at},${at % 6}`),
    );
    expect((await read(even)).said).not.toMatch(/dropRating/);
  });

  test('a value that no row has leaves all of them', async () => {
    expect((await read(lines('user,item,rating', 'a,x,5', 'b,y,4'), { dropRating: 0 })).rows.length).toBe(2);
  });
});

describe('bad rows', () => {
  const bad: Record<number, string> = {
    101: 'u1,x1,good,5',
    203: 'u1,,3,5',
    305: 'u1,x1,3,May',
    407: 'NULL,x1,3,5',
    509: ',x1,3,5',
  };
  const content = lines(
    'user,item,rating,time',
    ...Array.from({ length: 25_000 }, (_, at) => bad[at + 2] ?? `u${at % 500},x${at},${1 + (at % 5)},${at}`),
  );

  test('the first and their number are named, and how to leave them out', async () => {
    const message = await refused(content);
    expect(message).toMatch(/^FILE, line 101: "good" in column "rating" is not a finite number/);
    expect(message).toMatch(/\b5\b/);
    expect(message).toContain('`skipBadRows: true`');
  });

  test('are left out on demand, and said', async () => {
    const { rows, said, report } = await read(content, { skipBadRows: true });
    expect(report).toMatchObject({ ratings: 24_995, users: 500, items: 24_995, duplicates: 0 });
    expect(rows[0]).toEqual(['u0', 'x0', 1, 0]);
    // Row 99 stood in line 101.
    expect(rows[99]).toEqual(['u100', 'x100', 1, 100]);
    expect(rows.at(-1)).toEqual(['u499', 'x24999', 5, 24_999]);
    expect(said).toMatch(/\b5\b/);
    for (const line of [101, 203, 305]) expect(said).toMatch(new RegExp(`line ${line}\\b`));
    for (const line of [407, 509]) expect(said).not.toMatch(new RegExp(`line ${line}\\b`));
  });

  test('one is one, and no number is said', async () => {
    const message = await refused(lines('user,item,rating', 'a,x,5', 'b,y'));
    expect(message).toMatch(/^FILE, line 3: 2 fields where the header has 3/);
    expect(message).toContain('`skipBadRows: true`');
  });

  test.each([
    ['too few fields', 'b,y', 'line 3: 2 fields where the header has 3'],
    ['too many fields', 'b,y,4,5', 'line 3: 4 fields where the header has 3'],
    ['text after a quote', '"b"c,y,4', 'line 3: a quote is not closed, or text follows it'],
    ['an open quote', '"b,y,4', 'line 3: a quote is not closed, or text follows it'],
  ])('with %s', async (_, row, message) => {
    const broken = lines('user,item,rating', 'a,x,5', row, 'c,x,3');
    expect(await refused(broken)).toContain(message);
    const { rows, said } = await read(broken, { skipBadRows: true });
    expect(rows).toEqual([
      ['a', 'x', 5],
      ['c', 'x', 3],
    ]);
    expect(said).toContain(`1 row is left out, which cannot be read: FILE, ${message}`);
  });

  test.each([
    ['{"user":"b","item":"y","rating":', '{"user":"c","item":"y",'],
    ['{"user":"b","item":"y","rating":"good"}', '{"user":null,"item":"y","rating":3}'],
  ])('in JSON lines: %s', async (one, other) => {
    const json = lines(
      '{"user":"a","item":"x","rating":5}',
      one,
      other,
      '{"user":"d","item":"y","rating":2}',
    );
    expect(await refused(json, {}, 'rows.jsonl')).toMatch(/^FILE, line 2: .*2 rows are bad/);
    const { rows, said } = await read(json, { skipBadRows: true }, 'rows.jsonl');
    expect(rows).toEqual([
      ['a', 'x', 5],
      ['d', 'y', 2],
    ]);
    expect(said).toMatch(/^2 rows are left out.*line 2\b.*line 3\b/);
  });

  test('a file of nothing else is refused', async () => {
    expect(await refused(lines('user,item,rating', 'b,y', 'c,x'), { skipBadRows: true })).toMatch(/^FILE/);
  });
});

describe('duplicates', () => {
  const ratings = lines('user,item,rating,time', 'a,x,4,30', 'a,x,2,10', 'a,x,1,20', 'b,x,5,5');
  const untimed = lines('user,item,rating', 'a,x,4', 'a,x,2', 'a,x,1', 'b,x,5');
  const plays = lines('user,item,plays', 'a,x,4', 'a,x,2', 'a,x,1', 'b,x,5');

  test.each([
    [undefined, 4, 1, 7],
    ['last', 4, 1, 1],
    ['first', 2, 4, 4],
    ['mean', 7 / 3, 7 / 3, 7 / 3],
    ['sum', 7, 7, 7],
    ['count', 3, 3, 3],
    ['max', 4, 4, 4],
  ] as const)('%s', async (duplicates, byTime, byOrder, ofPlays) => {
    const options = duplicates ? { duplicates } : {};
    const valueIn = async (content: string): Promise<unknown> => {
      const { rows, report } = await read(content, options);
      expect(report).toMatchObject({ ratings: 2, users: 2, items: 1, duplicates: 2 });
      expect(rows.find(([user]) => user === 'b')?.[2]).toBe(duplicates === 'count' ? 1 : 5);
      return rows.find(([user]) => user === 'a')?.[2];
    };
    expect(await valueIn(ratings)).toBe(Math.fround(byTime));
    expect(await valueIn(untimed)).toBe(Math.fround(byOrder));
    expect(await valueIn(plays)).toBe(Math.fround(ofPlays));
  });
});

describe('users and items with few ratings', () => {
  // Without u4, c has one user; without c, u3 has one item; a and b keep two users. u4 rated c twice, which is one pair.
  const content = lines(
    'user,item,rating',
    ...['u4,c,5', 'u1,a,1', 'u1,b,2', 'u2,a,3', 'u4,c,4', 'u2,b,4', 'u3,a,5', 'u3,c,1'],
  );

  test('go, until none has too few', async () => {
    const { rows, report } = await read(content, { minRatings: 2 });
    expect(rows).toEqual([
      ['u1', 'a', 1],
      ['u1', 'b', 2],
      ['u2', 'a', 3],
      ['u2', 'b', 4],
    ]);
    expect(report).toMatchObject({ ratings: 4, users: 2, items: 2 });
  });

  test('stay with 1, and all may go', async () => {
    expect((await read(content, { minRatings: 1 })).rows.length).toBe(7);
    expect(await refused(content, { minRatings: 3 })).toContain('minRatings');
  });
});
