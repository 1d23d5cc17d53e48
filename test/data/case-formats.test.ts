import { readFile as bytesOf, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Connection, withDatabase } from '../../src/data/read/duckdb.ts';
import { readItems } from '../../src/data/read/items.ts';
import { type Listed, lines, readers } from '../support/reading.ts';

// Formats that are common in the field: read rightly, or refused for what they are.

const { folder, read, refused, readFile, refusedFile } = readers();

const three: Listed[] = [
  ['7', '01', 4.5, 900_000_001],
  ['7', '1193', 3, 900_000_002],
  ['8', '01', 0.5, 900_000_003],
];

describe('texts', () => {
  const header = 'user,item,rating,time';
  const rows = ['7,01,4.5,900000001', '7,1193,3,900000002', '8,01,0.5,900000003'];
  const csv = lines(header, ...rows);
  const spaced = csv.replaceAll(',', ' ');

  test.each<[string, string]>([
    ['spaces', spaced],
    ['spaces, without a header', lines(...rows).replaceAll(',', ' ')],
    ['runs of spaces', csv.replaceAll(',', '   ')],
    ['runs of spaces, and some at both ends', spaced.replaceAll(' ', '  ').replace(/^|(?=\n)/gm, ' ')],
    [
      'columns that a program aligned',
      rows
        .map((row) =>
          row
            .split(',')
            .map((field) => field.padStart(12))
            .join(''),
        )
        .join('\n'),
    ],
    ['a line sep=;', `sep=;\n${csv.replaceAll(',', ';')}`],
    ['a line sep=, after a byte order mark', `\ufeffsep=,\r\n${csv.replaceAll('\n', '\r\n')}`],
    ['a line sep= in quotes', `"sep=;"\n${csv.replaceAll(',', ';')}`],
    ['a line sep= of a tab', `sep=\t\n${csv.replaceAll(',', '\t')}`],
    ['comments with #', `# written by hand\n#\n# on Monday, at 9\n${csv}`],
    ['comments with %', `% bip weighted\n% 3 2 2\n${lines(...rows).replaceAll(',', ' ')}`],
    ['rows of nothing, as spreadsheets have', `${csv},,,\n,,,\n,,,\n`],
    ['rows of nothing between rows', csv.replaceAll('\n', '\n;;;\n').replaceAll(',', ';')],
    ['columns of nothing', `${csv.replaceAll('\n', ',,\n')}`],
    [
      'types in the header, by tabs',
      lines('user_id:token,item_id:token,rating:float,timestamp:float', ...rows).replaceAll(',', '\t'),
    ],
    [
      'types in the header, by commas',
      lines(
        'item_id:token,user_id:token,timestamp:float,rating:float',
        '01,7,900000001,4.5',
        '1193,7,900000002,3',
        '01,8,900000003,0.5',
      ),
    ],
  ])('%s', async (_, content) => {
    expect((await read(content)).rows).toEqual(three);
  });

  test('a # within a field is no comment', async () => {
    const { rows } = await read(lines('user,item,rating', '#a,x,5', 'b,#1,4'));
    expect(rows).toEqual([
      ['#a', 'x', 5],
      ['b', '#1', 4],
    ]);
  });

  test.each([
    ['sep=;\n\n', '', 7],
    ['# note\n#\n\n', ';;;\n\n', 10],
    ['% note\n', ';;;\n', 7],
  ])('lines are counted with all that is skipped: %j', async (start, between, line) => {
    const content = `${start}${csv.replaceAll(',', ';')}${between}9;01;good;5\n`;
    expect(await refused(content)).toMatch(new RegExp(`^FILE, line ${line}: "good"`));
  });

  test.each(['movies.dat', 'films.txt', 'titles.csv'])("MovieLens 1M's films as %s", async (name) => {
    const content =
      "1::Toy Story (1995)::Animation|Children's|Comedy\n73::Misérables, Les (1995)::Drama|Musical\n";
    for (const encoding of ['utf8', 'latin1'] as const) {
      const path = await folder.write(name, Buffer.from(content, encoding));
      const { titles, genres } = await readItems(path);
      expect(titles).toEqual(
        new Map([
          ['1', 'Toy Story (1995)'],
          ['73', 'Misérables, Les (1995)'],
        ]),
      );
      expect(genres.get('73')).toEqual(['Drama', 'Musical']);
    }
  });
});

describe('encodings', () => {
  const csv = (user: string, item: string): string =>
    lines('user,item,rating', `${user},${item},4`, `b,${item},2`);
  const bytes = (...parts: (string | number[])[]): Buffer =>
    Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
    );
  const bigEndian = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

  test.each<[string, Buffer, string | undefined, string]>([
    ['Latin-1', bytes(csv('Zo\xeb', 'x')), 'latin-1', 'Zoë'],
    ['Latin-1', bytes(csv('Zo\xeb', 'x')), 'iso-8859-1', 'Zoë'],
    ['Windows-1252', bytes(csv('Zo\xeb', 'x')), 'windows-1252', 'Zoë'],
    ['GBK', bytes('user,item,rating\n', [0xd5, 0xc5, 0xc8, 0xfd], ',x,4\nb,x,2\n'), 'gbk', '张三'],
    // The second byte of the character is a |.
    ['GBK', bytes('user|item|rating\n', [0x81, 0x7c], '|x|4\nb|x|2\n'), 'gb18030', '亅'],
    ['Shift JIS', bytes('user,item,rating\n', [0x83, 0x5c], ',x,4\nb,x,2\n'), 'shift_jis', 'ソ'],
    ['KOI8-R', bytes('user,item,rating\n', [0xe9, 0xd7, 0xc1, 0xce], ',x,4\nb,x,2\n'), 'koi8-r', 'Иван'],
    ['Big5', bytes('user,item,rating\n', [0xa4, 0xa4], ',x,4\nb,x,2\n'), 'big5', '中'],
    ['EUC-KR', bytes('user,item,rating\n', [0xb1, 0xe8], ',x,4\nb,x,2\n'), 'euc-kr', '김'],
    ['UTF-16, little end first', Buffer.from(`\ufeff${csv('Ċⰼ', 'x')}`, 'utf16le'), undefined, 'Ċⰼ'],
    ['UTF-16, big end first', bigEndian(`\ufeff${csv('Ċⰼ', 'x')}`), undefined, 'Ċⰼ'],
    ['UTF-16 without a mark', Buffer.from(csv('Ċ', 'x'), 'utf16le'), 'utf-16le', 'Ċ'],
    ['UTF-16 without a mark, big end first', bigEndian(csv('Ċ', 'x')), 'utf-16be', 'Ċ'],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${csv('Zoë', 'x')}`), undefined, 'Zoë'],
  ])('%s', async (_, content, encoding, user) => {
    const { rows } = await read(content, encoding ? { encoding } : {});
    expect(rows).toEqual([
      [user, 'x', 4],
      ['b', 'x', 2],
    ]);
  });

  test('what is no UTF-8 is refused, and the option named', async () => {
    const path = await folder.write('ratings.csv', bytes(csv('Zo\xeb', 'x')));
    expect(await refusedFile(path)).toMatch(/^FILE, line 2: .*`encoding/);
  });

  test.each(['klingon', 'latin-0'])('%s is refused', async (encoding) => {
    const path = await folder.write('ratings.csv', csv('a', 'x'));
    expect(await refusedFile(path, { encoding })).toMatch(/encoding/);
  });

  test.each([
    ['gbk', bytes('user,item,rating\n', [0x81], ',x,4\nb,x,2\n')],
    ['latin-1', bytes(csv('\x80uro', 'x'))],
    ['utf-16', Buffer.from('\ufeffuser,item,rating\na,\ud800,3\n', 'utf16le')],
  ])('%s that the bytes are not is refused', async (encoding, content) => {
    const path = await folder.write('ratings.csv', content);
    expect(await refusedFile(path, { encoding })).toMatch(/^FILE.*`encoding/);
  });
});

describe('JSON', () => {
  const objects = three.map(([user, item, rating, time]) => ({ user, item, rating, time }));
  test.each<[string, string]>([
    ['lines.jsonl', lines(...objects.map((row) => JSON.stringify(row)))],
    ['one-line.json', JSON.stringify(objects)],
    ['one-object.json', JSON.stringify({ ratings: objects })],
    ['pretty.json', JSON.stringify(objects, null, 2)],
    ['pretty-object.json', JSON.stringify({ about: { made: 'today' }, ratings: objects }, null, '\t')],
    ['lines.json', lines(...objects.map((row) => JSON.stringify(row)))],
    ['blank-lines.ndjson', `\n${objects.map((row) => JSON.stringify(row)).join('\r\n\r\n')}\r\n`],
    ['marked.json', `\ufeff${JSON.stringify(objects)}`],
    ['by-another-name.txt', lines(...objects.map((row) => JSON.stringify(row)))],
    ['array-by-another-name', JSON.stringify(objects)],
    [
      'numbers.jsonl',
      lines(
        '{"user":7,"item":"01","rating":4.5,"time":900000001}',
        '{"user":7,"item":1193,"rating":"3","time":900000002}',
        '{"user":8,"item":"01","rating":0.5,"time":900000003}',
      ),
    ],
    [
      'other-orders.jsonl',
      lines(
        '{"x":{"y":[1]},"time":900000001,"user":"7","rating":4.5,"item":"01"}',
        '{"user":"7","item":"1193","rating":3,"time":900000002}',
        '{"time":900000003,"item":"01","more":null,"rating":0.5,"user":"8"}',
      ),
    ],
  ])('%s', async (name, content) => {
    expect((await read(content, {}, name)).rows).toEqual(three);
  });

  test('whole numbers past 2⁵³ are ids as they are written', async () => {
    const content = lines(
      '{"user":9007199254740993,"item":"x","rating":5}',
      '{"user":9007199254740992,"item":"x","rating":4}',
    );
    expect((await read(content, {}, 'large.jsonl')).rows).toEqual([
      ['9007199254740993', 'x', 5],
      ['9007199254740992', 'x', 4],
    ]);
  });

  test('a file that is cut off is refused', async () => {
    for (const [name, content] of [
      ['cut.json', JSON.stringify(objects)],
      ['cut.jsonl', lines(...objects.map((row) => JSON.stringify(row)))],
    ] as const)
      expect(await refused(content.slice(0, -20), {}, name)).toMatch(/^FILE.*JSON/);
  });
});

describe('compressed files that are cut off or changed', () => {
  const csv = lines(
    'user,item,rating',
    ...Array.from({ length: 5000 }, (_, at) => `u${(at * 7919) % 997},i${at},${at % 5}`),
  );

  const zstd = async (): Promise<Buffer> => {
    const path = join(folder.path, 'whole.csv.zst');
    const from = await folder.write('whole.csv', csv);
    await withDatabase((connection) =>
      connection.run(
        `COPY (SELECT * FROM read_csv('${from}', all_varchar = true)) TO '${path}' (FORMAT csv, COMPRESSION zstd)`,
      ),
    );
    return bytesOf(path);
  };

  test.each([
    ['gzip', async () => gzipSync(csv), 'csv.gz'],
    ['zstd', zstd, 'csv.zst'],
  ] as const)('%s', async (_, compressed, ending) => {
    const whole = await compressed();
    const path = join(folder.path, `cut.${ending}`);
    await writeFile(path, whole);
    expect((await readFile(path)).rows.length).toBe(5000);
    for (const part of [0.05, 0.3, 0.6, 0.9, 0.999]) {
      await writeFile(path, whole.subarray(0, Math.floor(part * whole.length)));
      expect(await refusedFile(path)).toMatch(/^FILE.*(cut off|damaged)/);
    }
    // Compressed files that stand one after the other are one file.
    await writeFile(path, Buffer.concat([whole, whole.subarray(0, whole.length / 2)]));
    expect(await refusedFile(path)).toMatch(/^FILE.*(cut off|damaged)/);
    if (ending === 'csv.gz') {
      await writeFile(path, Buffer.concat([whole, gzipSync('u1,new,4\n')]));
      expect((await readFile(path)).rows.at(-1)).toEqual(['u1', 'new', 4]);
    }
  });

  test('Parquet', async () => {
    const path = join(folder.path, 'cut.parquet');
    await withDatabase((connection) =>
      connection.run(
        `COPY (SELECT range AS "user", range AS item, 3 AS rating FROM range(5000)) TO '${path}'`,
      ),
    );
    const whole = await bytesOf(path);
    for (const part of [0.05, 0.5, 0.999]) {
      await writeFile(path, whole.subarray(0, Math.floor(part * whole.length)));
      expect(await refusedFile(path)).toMatch(/^FILE.*(cut off|damaged)/);
    }
  });
});

describe('folders', () => {
  const parts = async (name: string, work: (connection: Connection, path: string) => Promise<unknown>) => {
    const path = join(folder.path, name);
    await mkdir(path, { recursive: true });
    await withDatabase((connection) => work(connection, path));
    return path;
  };
  const copy = (user: string, rating: number, path: string): string =>
    `COPY (SELECT '${user}' AS "user", 'x' AS item, ${rating} AS rating) TO '${path}' (FORMAT parquet)`;

  test('of Parquet parts, without what begins with _ or .', async () => {
    const path = await parts('spark', async (connection, path) => {
      await connection.run(copy('b', 2, `${path}/part-00001.snappy.parquet`));
      await connection.run(copy('a', 1, `${path}/part-00000.snappy.parquet`));
      await connection.run(copy('wrong', 5, `${path}/_temporary.parquet`));
      await connection.run(copy('wrong', 5, `${path}/.part-00000.parquet`));
      await writeFile(`${path}/_SUCCESS`, '');
      await writeFile(`${path}/.part-00000.snappy.parquet.crc`, 'crc');
      await mkdir(`${path}/_temporary`);
      await connection.run(copy('wrong', 5, `${path}/_temporary/part-00002.parquet`));
    });
    expect((await readFile(path)).rows).toEqual([
      ['a', 'x', 1],
      ['b', 'x', 2],
    ]);
  });

  test('by values of a column, which is read as one', async () => {
    const path = await parts('hive', async (connection, path) => {
      for (const [year, user, rating] of [
        [2020, 'a', 1],
        [2021, 'b', 2],
      ] as const) {
        await mkdir(`${path}/year=${year}/item=x%20y`, { recursive: true });
        await connection.run(
          `COPY (SELECT '${user}' AS "user", ${rating} AS rating) TO '${path}/year=${year}/item=x%20y/0.parquet' (FORMAT parquet)`,
        );
      }
    });
    expect((await readFile(path)).rows).toEqual([
      ['a', 'x y', 1],
      ['b', 'x y', 2],
    ]);
    expect((await readFile(path, { itemColumn: 'year' })).rows.map(([, item]) => item)).toEqual([
      '2020',
      '2021',
    ]);
  });

  test.each([
    ['Delta', '_delta_log/00000000000000000000.json', 'part-0.parquet'],
    ['Iceberg', 'metadata/v1.metadata.json', 'data/part-0.parquet'],
    ['Hudi', '.hoodie/hoodie.properties', 'part-0.parquet'],
  ])('of %s are refused', async (name, log, data) => {
    const path = await parts(name, async (connection, path) => {
      for (const file of [log, data]) await mkdir(join(path, file, '..'), { recursive: true });
      await writeFile(join(path, log), '{}');
      await connection.run(copy('a', 1, join(path, data)));
    });
    expect(await refusedFile(path)).toMatch(new RegExp(`^FILE.*${name}.*export`));
  });

  test('without a file of data are refused', async () => {
    expect(await refusedFile(await parts('nothing', async () => {}))).toMatch(/^FILE/);
  });
});

describe('what is no text is named', () => {
  const starting = (...parts: (string | number[])[]): Buffer =>
    Buffer.concat([
      ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
      Buffer.from(Array.from({ length: 600 }, (_, at) => (at * 197 + (at >> 3)) & 255)),
    ]);
  const tar = Buffer.alloc(1024);
  tar.write('ratings.csv');
  tar.write('ustar', 257);
  const zipOf = (name: string): Buffer => {
    const head = Buffer.alloc(30);
    head.write('PK\x03\x04', 'latin1');
    head.writeUInt16LE(name.length, 26);
    return starting([...head], name);
  };

  const html = '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>no</body></html>\n';

  test.each<[RegExp, Buffer | string]>([
    [/SQLite/, starting('SQLite format 3\0')],
    [/Excel/, zipOf('xl/workbook.xml')],
    [/Office/, starting([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])],
    [/zip/, zipOf('ratings.csv')],
    [/HDF5/, starting('\x89HDF\r\n\x1a\n')],
    [/pickle/, starting([0x80, 0x04, 0x95])],
    [/NumPy/, starting('\x93NUMPY')],
    [/ORC/, starting('ORC')],
    [/Avro/, starting('Obj\x01')],
    [/Arrow/, starting('ARROW1\0\0')],
    [/bzip2|bz2/, starting('BZh91AY&SY')],
    [/xz/, starting([0xfd], '7zXZ\0')],
    [/7z|7-Zip/, starting('7z', [0xbc, 0xaf, 0x27, 0x1c])],
    [/tar/, tar],
    [/tar/, gzipSync(tar)],
    [/SQLite/, gzipSync(starting('SQLite format 3\0'))],
    [/PDF/, starting('%PDF-1.7\n')],
    [/HTML/, html],
    [/HTML/, `\n  ${html.toLowerCase()}`],
  ])('%s', async (name, content) => {
    const path = await folder.write('ratings.csv', content);
    const message = await refusedFile(path);
    expect(message).toMatch(/^FILE: /);
    expect(message).toMatch(name);
    expect(message).not.toContain('is not a text file');
    expect(message).toMatch(/;|export|save|unpack|decompress/);
  });
});
