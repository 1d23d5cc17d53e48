import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ItemTable } from '../../src/data/read/item-table.ts';
import { readItems } from '../../src/data/read/items.ts';
import { parseItems, parseRatings } from '../../src/data/read/parse.ts';
import { readRatings } from '../../src/data/read/read.ts';
import type { Reading } from '../../src/data/read/reading.ts';
import { hasShared, sample, shared, temporaryFolder, userError, why } from '../support/files.ts';
import { runs } from '../support/soak.ts';

const folder = temporaryFolder();

type Outcome = Reading | ItemTable | string;

/** The table, or the one line that says why there is none. */
async function outcome(work: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  const working = (async () => work())();
  return (await Promise.allSettled([working]))[0].status === 'fulfilled' ? working : userError(working);
}

/** What comes of a text, which is the same whether it is parsed or read from a file. */
async function ratingsIn(text: string, name = 'ratings.csv'): Promise<Outcome> {
  const path = await folder.write(name, text);
  const parsed = await outcome(() => parseRatings(text, path));
  expect(parsed).toEqual(await outcome(() => readRatings(path)));
  return typeof parsed === 'string' ? parsed.replace(path, 'FILE') : parsed;
}

const plain = ['a', 'b', '7', '07', 'x', 'nil'];
const odd = [
  ' a',
  'b ',
  'x y',
  '日本',
  'Zoe\u0308',
  '👩‍🚀',
  'x\u00a0',
  '\u2028y',
  '#c',
  '-',
  "it's",
  ' "a" ',
];
const toQuote = [
  'a,b',
  'a;b',
  'a\tb',
  'a|b',
  'a::b',
  '"',
  'a""b"',
  'two\nlines',
  'two\r\nlines',
  'two\rlines',
];
// A byte order mark or a control character makes DuckDB take the file for another.
const unicode = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 5 })
  .filter((text) => !/(?![\t-\r])\p{Cc}|\ufeff/u.test(text));
const id = fc.oneof(fc.constantFrom(...plain), fc.constantFrom(...plain, ...odd, ...toQuote), unicode);

const rating = fc.oneof(
  fc.integer({ min: -10, max: 99 }).map((half) => String(half / 2)),
  fc.constantFrom('+3', '1e1', '.5', '4.', ' 2 ', '007', '1E-2'),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
);

const date = fc.date({ noInvalidDate: true, min: new Date('1700'), max: new Date('2200') });
const iso = date.map((date) => date.toISOString());
const times = {
  none: fc.constant(''),
  seconds: fc.oneof(fc.nat(2 ** 31), fc.double({ min: -1e9, max: 4e9, noNaN: true })).map(String),
  milliseconds: fc.nat(2 ** 31).map((seconds) => String(1000 * seconds + 1e12)),
  day: iso.map((text) => text.slice(0, 10)),
  moment: iso,
  zoned: iso.map((text) => `${text.slice(0, 19).replace('T', ' ')} +0130`),
  local: iso.map((text) => text.slice(0, 19).replace('T', ' ')),
};

/** A table as some program may have written it. */
const tables = fc
  .record({
    delimiter: fc.constantFrom(',', '\t', ';', '|', '::'),
    lineBreak: fc.constantFrom('\n', '\r\n', '\r'),
    header: fc.boolean(),
    mark: fc.boolean(),
    blankLines: fc.boolean(),
    endsInBreak: fc.boolean(),
    quoteAll: fc.boolean(),
    decimalComma: fc.boolean(),
    moreColumns: fc.boolean(),
    time: fc.constantFrom(...(Object.keys(times) as (keyof typeof times)[])),
  })
  .chain((form) =>
    fc
      .array(fc.tuple(id, id, rating, times[form.time]), { minLength: 1, maxLength: 12 })
      .map((rows) => ({ ...form, rows })),
  )
  .map(({ delimiter, lineBreak, rows, ...form }) => {
    const quoted = delimiter !== '::';
    const field = (text: string): string => {
      if (!quoted) return text.replaceAll(/^:|::|:$|[\r\n]/g, '-');
      return form.quoteAll || /[",;|\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const line = (user: string, item: string, rating: string, time: string, more: string): string =>
      [user, item, rating, ...(form.time === 'none' ? [] : [time]), ...(form.moreColumns ? [more] : [])]
        .map(field)
        .join(delimiter);
    const comma = form.decimalComma && delimiter !== ',';
    const lines = rows.map(([user, item, rating, time]) =>
      line(user, item, comma ? rating.replace('.', ',') : rating, time, 'x'),
    );
    if (form.header) lines.unshift(line('userId', 'movieId', 'rating', 'timestamp', 'more'));
    const between = form.blankLines ? lineBreak + lineBreak : lineBreak;
    return [
      form.mark ? '\ufeff' : '',
      form.blankLines ? lineBreak : '',
      lines.join(between),
      form.endsInBreak ? lineBreak : '',
    ].join('');
  });

/** Pieces of tables in any order, most of them broken. */
const pieces = [
  ...['a', '1', '3.5', ',', ',', ',', ';', '"', '""', '\n', '\n\n'],
  ...['x,y,2\n', '"p,q",r,1\n', ',3\n'],
];
const broken = fc
  .tuple(
    fc.constantFrom('', 'a,b,3\n', 'user,item,rating\n', 'user,item,rating\na,x,3\n'),
    fc.array(fc.constantFrom(...pieces), { maxLength: 14 }),
  )
  .map(([start, parts]) => start + parts.join(''));

describe('a text gives what the same file gives', () => {
  test('whatever wrote it', async () => {
    let good = 0;
    await fc.assert(
      fc.asyncProperty(tables, async (text) => {
        if (typeof (await ratingsIn(text)) !== 'string') good++;
      }),
      { numRuns: runs(20, 300) },
    );
    expect(good).toBeGreaterThan(0.6 * runs(20, 300));
  });

  test('and if nothing good did', () =>
    fc.assert(
      fc.asyncProperty(broken, async (text) => {
        await ratingsIn(text);
      }),
      { numRuns: runs(20, 300) },
    ));

  test('of two ratings of an item the later', async () => {
    const text = 'user,item,rating,time\na,x,1,30\nb,x,2,10\na,x,3,20\na,y,4,5\na,y,5,5\n';
    expect(await ratingsIn(text)).toMatchObject({
      report: { duplicates: 2 },
      ratings: { ratings: Float32Array.of(1, 2, 5) },
    });
  });

  test.each([
    ['spaces around quotes', 'user,item,rating\n "a,b" , "x"  ,3\n'],
    ['a quote within a field', 'user,item,rating\na"b,x"",3\n'],
    ['empty fields too many', 'user,item,rating\na,x,3,\nb,y,4,"",\n'],
    ['columns in another order', 'Rating;Book Title;ISBN;User-ID\n3,5;t;b;a\n'],
    ['MovieLens 1M', '1::1193::5::978300760\n1::661::3::978302109\n', 'ratings.dat'],
    ['no header, and what was assumed', 'a,b,3,x\nc,d,4,y\n'],
  ])('%s', async (_, text, name?: string) => {
    expect(typeof (await ratingsIn(text, name))).toBe('object');
  });

  const good = [
    ...['1000000000', '1000000000.5', '1000000000000', '-5', '1e9', '1e12', '100000000000', '20010909'],
    ...['2001-09-09', '2001-9-9', '2001/09/09', '2001-09-09 01:46', '2001-09-09 1:46:40', '2000-02-29'],
    ...['2001-09-09T01:46:40.123456', '2001-09-09 01:46:40.1234567', '2001-09-09 24:00:00', '0099-01-01'],
    ...[
      '2001-09-09T01:46:40Z',
      '2001-09-09T01:46:40+02',
      '2001-09-09T01:46:40-0230',
      '2001-09-09  01:46:40 UTC',
    ],
  ];
  test('times of any kind', async () => {
    const lines = good.map((time, at) => `a,${at},3,${time}`);
    const found = await ratingsIn(['user,item,rating,time', ...lines].join('\n'));
    expect(found).toHaveProperty('ratings.times.length', good.length);
  });

  const bad = [
    ...['2001-02-30', '2001-13-01', '2001-09-09 25:00', '2001-09-09 01:60', '2001-09-09 24:00:01', '2001-09'],
    ...['May 5', '09/09/2001', '2001.09.09', '2001-09-09T01:46Z', '', ' ', 'inf', '0x10'],
  ];
  test.each(bad)('no time: %j', async (time) => {
    expect(await ratingsIn(`user,item,rating,time\na,x,3,${time}\n`)).toMatch(
      /^FILE, line 2: .* is not a time/,
    );
  });

  test('a time without a zone is UTC, wherever it is read', async () => {
    const { TZ } = process.env;
    process.env.TZ = 'America/New_York';
    const { ratings } = parseRatings('user,item,rating,time\na,x,3,2001-09-09 01:46:40\n', 'text');
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
    expect(ratings.times).toEqual(Float64Array.of(1e9));
  });
});

describe('what is wrong is said in the same words', () => {
  const good = 'user,item,rating\na,x,3\n';

  test.each([
    ['nothing', '', /^FILE: is empty/],
    ['blank lines', '\n\n', /^FILE: is empty/],
    ['a header alone', 'user,item,rating\n', /^FILE: has a header and no ratings/],
    ['too few fields', `${good}b,y\n`, /^FILE, line 3: 2 fields where the header has 3/],
    ['too many, without a header', 'a\tx\t3\nb\ty\t4\t5\n', /^FILE, line 2: 4 fields where the first line/],
    ['too few fields after empty ones too many', `${good}b,y,4,\nc\n`, /^FILE, line 4: 1 field/],
    ['a line after a quoted break', `${good}"b\nb",y,4\n\nc\n`, /^FILE, line 6: 1 field/],
    ['an open quote', `${good}"b,y,4\nc,y,4\n`, /^FILE, line 3: a quote is not closed/],
    ['text after a quote', `${good}"b"c,y,4\n`, /^FILE, line 3: a quote is not closed/],
    ['an empty id', `${good}b,"",4\n`, /^FILE, line 3: an empty id in column "item"/],
    ['a NUL character', `${good}b\0,y,4\n`, /^FILE, line 3: a NUL byte in the id in column "user"/],
    ['a word', `${good}b,y,good\n`, /^FILE, line 3: "good" in column "rating" is not a finite/],
    ['an empty rating', `${good}b,y,\n`, /^FILE, line 3: an empty field in column "rating"/],
    ['a rating too large', `${good}b,y,1e300\n`, /^FILE, line 3: "1e300" in column "rating"/],
    ['NaN', `${good}b,y,NaN\n`, /"NaN" in column "rating"/],
    ['the first of two', `${good}b,y,x\n,y,4\n`, /^FILE, line 3: "x"/],
    ['a broken line before a bad field', `${good}b,y,x\nb\n`, /^FILE, line 4: 1 field/],
    ['a column that is missing, before a broken line', 'who,item,rating\na\n', /^FILE: no user column found/],
    [
      'all columns',
      'lorem ipsum\n',
      /^FILE: no user, item column found.*name the right ones with `userColumn`, `itemColumn`/,
    ],
  ])('%s', async (_, text, message) => {
    expect(await ratingsIn(text)).toMatch(message);
  });
});

describe('real files', () => {
  const same = async (path: string) => {
    const bytes = await readFile(path);
    const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    const parsed = path.includes('movies') ? parseItems(text, path) : parseRatings(text, path);
    const read = await (path.includes('movies') ? readItems(path) : readRatings(path));
    // Vitest takes seconds to compare as many numbers.
    expect(isDeepStrictEqual(parsed, read)).toBe(true);
  };
  test.each(['ratings.csv.gz', 'movies.csv.gz'])('%s of the sample', (name) => same(`${sample}/${name}`));
  test.skipIf(!hasShared).each(['u.data', 'u1.base'])(`%s of MovieLens 100K${why}`, (name) =>
    same(`${shared}/ml-100k/${name}`),
  );
});

test.each([
  ['titles and genres', 'movieId,title,genres\n1,"A, B",Comedy|Drama\n2,C,(no genres listed)\n3,D,\n'],
  ['the first of two titles, and none that is empty', 'Name;ID;Tags\nA;01;x\n;02;\nB;01;y\n"";03;z\nC;;z\n'],
  ['no genres', 'id\tname\n1\tA\n'],
  ['a header alone', 'id,title\n'],
  ['no such columns', 'a,b\n1,2\n'],
  ['a broken line', 'id,title\n1,2\n3\n'],
  ['nothing', ''],
])('items: %s', async (_, text) => {
  const path = await folder.write('items.csv', text);
  expect(await outcome(() => parseItems(text, path))).toEqual(await outcome(() => readItems(path)));
});
