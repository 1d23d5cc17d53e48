import { describe, expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { kindByValues, spreadOf } from '../../src/data/read/meaning.ts';
import { parseRatings } from '../../src/data/read/parse.ts';
import { type ReadOptions, readExclusions, readOwnItems, readRatings } from '../../src/data/read/read.ts';
import type { Reading } from '../../src/data/read/reading.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { temporaryFolder, userError } from '../support/files.ts';

const folder = temporaryFolder();

/** What is read from a text, which Node's reader, the page's and that of files of strata read alike. */
async function reading(text: string, options: ReadOptions = {}, name = 'rows.csv'): Promise<Reading> {
  const path = await folder.write(name, text);
  const read = await readRatings(path, options);
  const { vocabulary: _, optionNames: __, ...parsing } = options;
  expect(parseRatings(text, path, parsing)).toEqual(read);
  if (options.valid === undefined && options.split === undefined) {
    const stored = await readRatings(path, { ...options, store: { from: 1 } });
    const rows = await stored.ratings.sample(Number.POSITIVE_INFINITY);
    const { userIds, itemIds } = stored.ratings;
    expect(sorted(listed({ ...rows, userIds, itemIds }))).toEqual(sorted(listed(read.ratings)));
    expect(stored.report).toEqual(read.report);
    expect(stored.ratings.facts.kind).toBe(read.ratings.kind);
    expect(stored.ratings.leavesOutSome).toBe(read.ratings.leavesOutSome);
    const left = await stored.ratings.toLeaveOut();
    const pairs = (data: Pick<Ratings, 'users' | 'items' | 'userIds' | 'itemIds'>) =>
      sorted(Array.from(data.users, (user, at) => [data.userIds[user], data.itemIds[data.items[at]]]));
    expect(pairs({ ...left, userIds, itemIds })).toEqual(
      pairs({ ...read.ratings, ...(await read.ratings.toLeaveOut()) }),
    );
    await stored.ratings.close();
  }
  return read;
}

const sorted = (rows: (string | number)[][]) => rows.map((row) => row.join(' ')).sort();

const listed = ({
  users,
  items,
  ratings,
  userIds,
  itemIds,
}: Pick<Ratings, 'users' | 'items' | 'ratings' | 'userIds' | 'itemIds'>) =>
  Array.from(users, (user, at) => [userIds[user], itemIds[items[at]], ratings[at]]);

describe('without ratings, rows are interactions', () => {
  test('of a user and an item, and repeated ones are added up', async () => {
    const { ratings, report } = await reading('user,item\nann,tea\nben,tea\nann,tea\nann,milk\n');
    expect(ratings.kind).toBe('interactions');
    expect(ratings.facts).toMatchObject({ kind: 'interactions', ratings: 3, low: 1, high: 2 });
    expect(listed(ratings)).toEqual([
      ['ann', 'tea', 2],
      ['ben', 'tea', 1],
      ['ann', 'milk', 1],
    ]);
    expect(report).toMatchObject({ kind: 'interactions', ratings: 3, duplicates: 1, withoutUser: 0 });
    expect(report.assumptions).toEqual(['no column of ratings, so each row is an interaction']);
  });

  test('that a column of counts counts, by its usual name or by a given one', async () => {
    const text = 'user,artist,plays,skips\nann,x,40,1\nann,y,2,2\nben,x,7,3\nann,x,3,4\n';
    const plays = await reading(text);
    expect(listed(plays.ratings)).toEqual([
      ['ann', 'x', 43],
      ['ann', 'y', 2],
      ['ben', 'x', 7],
    ]);
    expect(plays.report.assumptions).toEqual([
      'no column of ratings, so each row is an interaction that "plays" counts; not read: "skips"',
      'user "user", item "artist"',
    ]);
    const skips = await reading(text, { countColumn: 'skips' });
    expect(listed(skips.ratings)[0]).toEqual(['ann', 'x', 5]);
    const none = await reading(text, { countColumn: '' });
    expect(listed(none.ratings)[0]).toEqual(['ann', 'x', 2]);
  });

  test('in an orders file with decimal commas, returns, guests and dates with dots', async () => {
    const { ratings, report } = await reading(
      [
        'order_id;customer;article;quantity;price;date',
        '1;ann;tea;2,5;3,20;24.12.2025',
        '2;;tea;1;3,20;25.12.2025',
        '3;ben;milk;1;0,99;26.12.2025 10:30',
        '4;ann;tea;-2,5;3,20;27.12.2025',
        '5;ben;tea;1;3,20;2025-12-28',
      ].join('\n'),
    );
    expect(listed(ratings)).toEqual([
      ['ann', 'tea', 0],
      ['ben', 'milk', 1],
      ['ben', 'tea', 1],
    ]);
    expect(Array.from(ratings.times ?? [], (time) => new Date(time * 1000).toISOString())).toEqual([
      '2025-12-24T00:00:00.000Z',
      '2025-12-26T10:30:00.000Z',
      '2025-12-28T00:00:00.000Z',
    ]);
    expect(report).toMatchObject({ duplicates: 1, withoutUser: 1, withoutStrength: 1 });
    // A returned item is known, but nobody has it.
    expect(Array.from(ratings.itemCounts)).toEqual([1, 1]);
  });

  test.each([
    ['customer_id,product,qty', 'customer_id', 'product'],
    ['Kunde;Artikel;Menge', 'Kunde', 'Artikel'],
    ['email,sku,order_id', 'email', 'sku'],
    ['InvoiceNo,StockCode,CustomerID', 'CustomerID', 'StockCode'],
  ])('whose columns of users and items are said: %s', async (header, user, item) => {
    const delimiter = /[,;]/.exec(header)?.[0];
    const rows = ['1', '2'].map((digit) => [digit, digit, digit].join(delimiter));
    const { report } = await reading([header, ...rows].join('\n'));
    expect(report.assumptions).toContain(`user "${user}", item "${item}"`);
  });

  test('in which a column that an option names has no other role', async () => {
    const text = 'u1,i1,x,1433221332\nu2,i1,y,1433221399\n';
    const { ratings } = await reading(text, { countColumn: '4' });
    expect(ratings.times).toBeUndefined();
    expect(Array.from(ratings.ratings)).toEqual([1433221376, 1433221376]);
  });

  test('in a file without a header, if its columns are named by number', async () => {
    const numbers = { userColumn: '1', itemColumn: '2', eventColumn: '3' };
    const text = 'ann,tea,view\nben,tea,view\n';
    expect((await reading(text, numbers)).report.ratings).toBe(2);
    expect((await reading(`customer,article,event\n${text}`, numbers)).report.ratings).toBe(2);
    const path = await folder.write('bare.csv', text);
    expect(await userError(readRatings(path))).toContain(
      'if the first line is no header, say so with `header: false`',
    );
  });

  test('in several files, whose columns of counts are alike, or else said', async () => {
    const plays = await folder.write('plays.csv', 'user,item,plays\na,x,3\n');
    const clicks = await folder.write('clicks.csv', 'user,item,clicks\na,y,2\n');
    const bare = await folder.write('bare.csv', 'user,item\na,z\n');
    expect(await userError(readRatings([bare, plays]))).toMatch(
      /bare.csv: no count column found, but .*plays.csv has one; name it with `countColumn`/,
    );
    expect((await readRatings([bare, plays], { countColumn: '' })).report.ratings).toBe(2);
    const { report } = await readRatings([plays, clicks]);
    expect(report.assumptions).toEqual([
      `${plays}: no column of ratings, so each row is an interaction that "plays" counts`,
      `${clicks}: no column of ratings, so each row is an interaction that "clicks" counts`,
    ]);
  });

  test.each([
    'u1\ti1\nu2\ti1\n',
    'u1\ti1\t1433221332\nu2\ti1\t1433221399\n',
    'u1,i1,2024-05-06\nu2,i1,2024-05-07\n',
  ])('also without a header: %j', async (text) => {
    const { ratings } = await reading(text);
    expect(listed(ratings)).toEqual([
      ['u1', 'i1', 1],
      ['u2', 'i1', 1],
    ]);
    expect(ratings.times?.length).toBe(/\d{4}/.test(text) ? 2 : undefined);
  });

  test('that are held out pair by pair', async () => {
    const rows = Array.from({ length: 60 }, (_, at) => `u${at % 7},i${at % 9},${at}`);
    const text = `user,item,time\n${[...rows, ...rows].join('\n')}\n`;
    for (const options of [
      { valid: 0.3 },
      { valid: 0.3, split: 'time' },
      { split: 'leave-last-out' },
    ] as const) {
      const { ratings, valid } = await reading(text, options);
      const pairs = [ratings, valid as Ratings].flatMap((part) =>
        listed(part).map(([user, item]) => `${user} ${item}`),
      );
      expect(new Set(pairs).size).toBe(pairs.length);
      expect(valid?.kind).toBe('interactions');
    }
  });
});

describe('events', () => {
  const text = [
    'ts,visitor,event,item',
    '1,ann,view,tea',
    '2,ann,cart,tea',
    '3,ann,purchase,milk',
    '4,ben,view,milk',
    '5,ben,view,milk',
  ].join('\n');

  test('count alike, which is said, unless their column is named', async () => {
    const { ratings, report } = await reading(text);
    expect(listed(ratings).map(([, , strength]) => strength)).toEqual([2, 1, 2]);
    expect(report.assumptions.join()).toContain('kinds of events count alike, because "event" is not read');
  });

  test('have weights, and only some of them are left out', async () => {
    const { ratings } = await reading(text, {
      eventColumn: 'event',
      eventWeights: { view: 1, cart: 3, purchase: 10 },
      leaveOut: ['purchase'],
    });
    expect(listed(ratings)).toEqual([
      ['ann', 'tea', 4],
      ['ann', 'milk', 10],
      ['ben', 'milk', 2],
    ]);
    expect(Array.from((await ratings.toLeaveOut()).items, (row) => ratings.itemIds[row])).toEqual(['milk']);
  });

  test('need not be in data to evaluate on', async () => {
    const options = { eventColumn: 'event', leaveOut: ['purchase'] };
    const { ratings: vocabulary } = await reading(text, options);
    const path = await folder.write('later.csv', 'user,event,item\nann,view,milk\n');
    expect(await userError(readRatings(path, options))).toContain('no row has the event "purchase"');
    expect((await readRatings(path, { ...options, vocabulary })).ratings.ratings.length).toBe(1);
  });

  test.each<[ReadOptions, RegExp]>([
    [
      { eventColumn: 'event', eventWeights: { view: 1 } },
      /line 3: "cart" in column "event" is an event without/,
    ],
    [{ eventColumn: 'event', leaveOut: ['buy'] }, /no row has the event "buy"/],
    [{ leaveOut: ['purchase'] }, /`leaveOut` needs the column of events/],
    [{ eventWeights: { view: 1 } }, /`eventWeights` needs the column of events/],
    [{ eventColumn: 'kind' }, /no column "kind"/],
    [
      { countColumn: 'ts', ratingColumn: 'ts' },
      /`countColumn` is for interactions, and `ratingColumn` for ratings/,
    ],
    [{ countColumn: 'ts', kind: 'ratings' }, /`countColumn` is for interactions/],
    [{ kind: 'ratings' }, /no rating column found/],
    [
      { eventColumn: 'event', eventWeights: { view: 1 }, leaveOut: ['buy'] },
      /`leaveOut` names "buy", which `eventWeights` does not/,
    ],
  ])('are refused in one line: %j', async (options, message) => {
    const path = await folder.write('events.csv', text);
    expect(await userError(readRatings(path, options))).toMatch(message);
    expect(await userError((async () => parseRatings(text, path, options))())).toMatch(
      new RegExp(message.source.replace(/`(kind|column)`/, '$1')),
    );
  });
});

describe('strengths', () => {
  test.each([
    ['0.1', '0.6', '-0.7'],
    ['-0.7', '0.1', '0.6'],
  ])('are added up without rounding: %s, %s and %s', async (...counts) => {
    const rows = counts.map((count) => `a,x,${count}`);
    const { ratings } = await reading(`user,item,count\n${rows.join('\n')}\nb,y,1\n`);
    expect(listed(ratings)).toEqual([
      ['a', 'x', 0],
      ['b', 'y', 1],
    ]);
  });

  test('are added up alike in memory, in a file of strata, and in what is held out of it', async () => {
    const rows = Array.from(
      { length: 90 },
      (_, at) => `u${at % 5},i${at % 6},${[0.1, 0.6, -0.7][Math.floor(at / 30)]}`,
    );
    const path = await folder.write('sums.csv', `user,item,count\n${rows.join('\n')}\nu0,i9,2\nu1,i9,3\n`);
    const { report } = await readRatings(path);
    expect(report).toMatchObject({ ratings: 32, withoutStrength: 30 });
    const stored = await readRatings(path, { store: { from: 1 }, valid: 0.4 });
    expect(stored.report).toMatchObject({ ratings: 32, withoutStrength: 30 });
    expect(stored.valid?.ratings.filter((strength) => strength === 0).length).toBeGreaterThan(0);
    await stored.ratings.close();
  });

  test.each(['1e38', '-1e38'])('that are too large are refused: %s', async (count) => {
    const text = `user,item,count\nb,y,1\n${`a,x,${count}\n`.repeat(4)}`;
    const path = await folder.write('large.csv', text);
    const message = /large.csv: the interactions of user "a" with item "x" add up to more than a 32-bit/;
    expect(await userError(readRatings(path))).toMatch(message);
    expect(await userError(readRatings(path, { store: { from: 1 } }))).toMatch(message);
    expect(await userError((async () => parseRatings(text, path))())).toMatch(message);
  });

  test.each<[string, ReadOptions, RegExp]>([
    ['a,x,view,1e38', { eventWeights: { view: 10 } }, /line 2: "1e38" in column "count" is .* too large/],
    [
      'a,x,constructor,1',
      { eventWeights: { view: 1 } },
      /"constructor" in column "event" is an event without/,
    ],
    ['a,x,,1', { eventWeights: { view: 1 } }, /an empty field in column "event" is an event without/],
  ])('need a good count and weight: %s', async (row, options, message) => {
    const text = `user,item,event,count\n${row}\n`;
    const path = await folder.write('weighted.csv', text);
    const given = { ...options, eventColumn: 'event' };
    expect(await userError(readRatings(path, given))).toMatch(message);
    expect(await userError((async () => parseRatings(text, path, given))())).toMatch(message);
  });

  test('are by weights of any name', async () => {
    const text = 'user,item,event\na,x,\nb,x,__proto__\nb,y,constructor\n';
    const eventWeights = JSON.parse('{"": 2, "__proto__": 3, "constructor": 4}');
    const { ratings } = await reading(text, { eventColumn: 'event', eventWeights });
    expect(Array.from(ratings.ratings)).toEqual([2, 3, 4]);
  });

  test.each([{}, { view: 1e300 }, { view: '1' }])('are by weights that are numbers: %j', async (weights) => {
    const path = await folder.write('weights.csv', 'user,item,event\na,x,view\n');
    const options = { eventColumn: 'event', eventWeights: weights as Record<string, number> };
    const message = /eventWeights.*give an object of 32-bit/;
    expect(await userError(readRatings(path, options))).toMatch(message);
    expect(
      await userError((async () => parseRatings('user,item,event\na,x,view\n', path, options))()),
    ).toMatch(message);
  });
});

describe('the values of a column of ratings', () => {
  const rating = { label: '"rating"', isNamed: false };
  const random = generator(1);
  const drawn = (make: (part: number) => number): Float32Array => uniforms(400, random).map(make);

  test.each<[string, Float32Array]>([
    ['stars from 1 to 5', drawn((part) => 1 + Math.floor(5 * Math.sqrt(part)))],
    ['half stars, most of them 5', drawn((part) => Math.min(5, 0.5 + Math.floor(14 * part) / 2))],
    ['1 to 10', drawn((part) => 1 + Math.floor(10 * part))],
    ['percentages', drawn((part) => Math.round(100 * part ** 0.7))],
    ['−10 to 10', drawn((part) => 20 * part - 10)],
    ['0 to 1', drawn((part) => part)],
    ['few', Float32Array.of(1, 1, 1, 5)],
    ['two, which may be a scale', Float32Array.of(2, 5)],
    ['1 to 5, most of them 1', drawn((part) => (part < 0.7 ? 1 : 1 + Math.floor(5 * part)))],
    ['0 to 10, many of them 0', drawn((part) => (part < 0.4 ? 0 : Math.floor(11 * part)))],
  ])('are ratings: %s', (_, values) => {
    expect(kindByValues(spreadOf(values), rating).kind).toBe('ratings');
  });

  test.each<[string, Float32Array, RegExp]>([
    ['all 1', Float32Array.of(1, 1, 1), /"rating" is always 1/],
    ['all 5', new Float32Array(30).fill(5), /always 5/],
    ['0 and 1', Float32Array.of(0, 1, 1), /values from 0 to 1/],
    ['thumbs', Float32Array.of(-1, 1, 1), /values from -1 to 1/],
    ['plays', drawn((part) => Math.ceil(Math.exp(8 * part * part))), /as counts are/],
    ['seconds', drawn((part) => 3600 * part ** 6), /as counts are/],
    ['quantities', drawn((part) => (part < 0.8 ? 1 : Math.ceil(200 * (part - 0.8)))), /as counts are/],
    ['0 for not rated', drawn((part) => (part < 0.6 ? 0 : 7)), /as counts are/],
  ])('are interactions: %s', (_, values, because) => {
    const found = kindByValues(spreadOf(values), rating);
    expect(found.kind).toBe('interactions');
    expect(found.because.join()).toMatch(because);
  });

  test('are ratings in spite of a mistyped one, which is said', () => {
    const values = Float32Array.from(drawn((part) => 0.5 + Math.floor(10 * part) / 2)).fill(20, 7, 8);
    expect(kindByValues(spreadOf(values), rating)).toEqual({
      kind: 'ratings',
      because: ['the highest value of "rating" is 20, far above the rest: nearly all are at most 5'],
    });
  });

  test('are ratings on a larger scale, whose lowest value is frequent, if an option names them', async () => {
    const values = drawn((part) => (part < 0.6 ? 5 : Math.round(100 * part)));
    expect(kindByValues(spreadOf(values), rating).kind).toBe('interactions');
    expect(kindByValues(spreadOf(values), { ...rating, isNamed: true }).kind).toBe('ratings');
    const rows = Array.from(values, (value, at) => `u${at % 20},i${at},${value}`);
    const text = `user,item,score\n${rows.join('\n')}\n`;
    expect((await reading(text)).report.kind).toBe('interactions');
    expect((await reading(text, { ratingColumn: 'score' })).report.kind).toBe('ratings');
    const plays = drawn((part) => Math.ceil(part < 0.98 ? 3 * part : 1000 * part));
    expect(kindByValues(spreadOf(plays), { ...rating, isNamed: true }).kind).toBe('interactions');
  });

  test('are named by their column, or its number where there is no header', async () => {
    const rows = Array.from({ length: 40 }, (_, at) => `u${at % 8},i${at % 5},${at < 30 ? 1 : at * at}`);
    const { report } = await reading(rows.join('\n'));
    expect(report.assumptions.join()).toContain('half of column 3 is at most 1');
  });

  test('decide what a file holds, and a kind that is given decides before them', async () => {
    const rows = Array.from({ length: 40 }, (_, at) => `u${at % 8},i${at % 5},${at < 30 ? 1 : at * at}`);
    const text = `user,item,value\n${rows.join('\n')}\n`;
    const counted = await reading(text);
    expect(counted.ratings.kind).toBe('interactions');
    expect(counted.report.assumptions.join()).toContain('as counts are, not ratings');
    const rated = await reading(text, { kind: 'ratings' });
    expect(rated.ratings.kind).toBe('ratings');
    expect(rated.report.assumptions.join()).toContain('predictions of them will be poor');
    const thumbs = await reading('user,item,thumb\na,x,1\na,y,-1\nb,x,1\n', { ratingColumn: 'thumb' });
    expect(listed(thumbs.ratings)).toEqual([
      ['a', 'x', 1],
      ['a', 'y', -1],
      ['b', 'x', 1],
    ]);
    expect(Array.from(thumbs.ratings.itemCounts)).toEqual([2, 0]);
  });

  test('must be there in all files, or in none', async () => {
    const rated = await folder.write('rated.csv', 'user,item,rating\na,x,3\n');
    const bare = await folder.write('bare.csv', 'user,item\na,x\n');
    expect(await userError(readRatings([rated, bare]))).toMatch(
      /bare.csv: no rating column found, but .*rated.csv/,
    );
  });
});

test('interactions are made in a program, with strengths or without', async () => {
  const ids = { userIds: ['a', 'b'], itemIds: ['x', 'y'] };
  const rows = { users: Int32Array.of(0, 1, 0), items: Int32Array.of(0, 1, 0) };
  const plain = new Ratings({ kind: 'interactions', ...ids, ...rows });
  expect(Array.from(plain.ratings)).toEqual([2, 1]);
  expect(Array.from(plain.itemCounts)).toEqual([1, 1]);
  expect(plain.name).toBe('the interactions');
  for (const leftOut of [Uint8Array.of(0, 1, 2), [0, 1, 1]])
    expect(
      () => new Ratings({ kind: 'interactions', ...ids, ...rows, leftOut: leftOut as Uint8Array }),
    ).toThrow('leftOut must be a Uint8Array of 0 and 1');
  expect(() => new Ratings({ ...ids, ...rows })).toThrow(/without ratings, give kind: 'interactions'/);
  expect(() => new Ratings({ kind: 'plays' as 'ratings', ...ids, ...rows })).toThrow(/kind is "plays"/);
});

test('a date with a year of two digits is refused', async () => {
  const text = 'user,item,date\na,x,4.1.26\n';
  const path = await folder.write('years.csv', text);
  expect(await userError(readRatings(path))).toMatch(/"4.1.26" in column "date" is not a time .*24.12.2026/);
  expect(await userError((async () => parseRatings(text, path))())).toMatch(/"4.1.26" in column "date"/);
});

test('words in a column of ratings are refused', async () => {
  const text = 'user,item,thumb\na,x,up\nb,x,down\n';
  const path = await folder.write('thumbs.csv', text);
  const message = /line 2: "up" in column "thumb" is not a finite number: write 1 for good and -1 for bad/;
  expect(await userError(readRatings(path))).toMatch(message);
  expect(await userError((async () => parseRatings(text, path))())).toMatch(message);
});

test('a column of ratings need not be read', async () => {
  const text = 'user,item,feedback\na,x,came late\nb,x,good\n';
  const path = await folder.write('feedback.csv', text);
  expect(await userError(readRatings(path))).toMatch(
    /"came late" .*, or read no ratings with `ratingColumn: ''`/,
  );
  const { report } = await reading(text, { ratingColumn: '' });
  expect(report.kind).toBe('interactions');
  expect(report.assumptions.join()).toContain('not read: "feedback"');
  const bare = await reading('a,x,5\nb,x,4\n', { ratingColumn: '' });
  expect(Array.from(bare.ratings.ratings)).toEqual([1, 1]);
});

test('a list with a header that names no usual column is refused', async () => {
  const path = await folder.write('list.csv', 'Ware;Grund\n1;alt\n');
  for (const read of [readExclusions, readOwnItems])
    expect(await userError(read(path))).toContain('no item column found; the columns are "Ware", "Grund"');
  expect(await readExclusions(path, { itemColumn: 'Ware' })).toEqual({ exclude: ['1'] });
  const bare = await folder.write('pairs.csv', 'u1;i1\nu2;i1\n');
  expect((await readExclusions(bare)).excludeByUser?.get('u2')).toEqual(['i1']);
});

test('the items of one person come from a file', async () => {
  const own = await folder.write('own.csv', 'item\ntea\nmilk\ntea\n');
  expect(await readOwnItems(own)).toEqual(['tea', 'milk']);
  const many = await folder.write('many.csv', 'user,item\na,tea\nb,milk\n');
  expect(await userError(readOwnItems(many))).toContain('has items of 2 users');
});
