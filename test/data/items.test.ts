import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readItems } from '../../src/data/read/items.ts';
import { hasShared, sample, shared, temporaryFolder, userError, why } from '../support/files.ts';

const folder = temporaryFolder();
const readTitles = async (path: string) => (await readItems(path)).titles;

describe('titles', () => {
  test('the sample', async () => {
    const titles = await readTitles(`${sample}/movies.csv.gz`);
    expect(titles.size).toBe(9742);
    expect(titles.get('1')).toBe('Toy Story (1995)');
    expect(titles.get('11')).toBe('American President, The (1995)');
  });

  test('movies.dat and u.item in Latin-1, without a header', async () => {
    const dat = await folder.write(
      'movies.dat',
      Buffer.from('1::Misérables, Les (1995)::Drama\n2::"Q"::\n', 'latin1'),
    );
    expect([...(await readTitles(dat))].toSorted()).toEqual([
      ['1', 'Misérables, Les (1995)'],
      ['2', '"Q"'],
    ]);
    const item = await folder.write(
      'u.item',
      Buffer.from('1|Misérables, Les (1995)|01-Jan-1995|0\n', 'latin1'),
    );
    expect([...(await readTitles(item))]).toEqual([['1', 'Misérables, Les (1995)']]);
  });

  test('any table of ids and names; the first of two counts, an empty one does not', async () => {
    const path = await folder.write('products.csv', 'Name,price,ID\n"A, B",1,01\n,2,02\nC,3,01\n');
    expect([...(await readTitles(path))]).toEqual([['01', 'A, B']]);
  });

  test('ids in a column that is named; of two columns the other has the titles', async () => {
    const path = await folder.write('books.csv', 'what it is called,my_isbn,movieId\nEmma,1,9\n');
    expect(await userError(readItems(path, { itemColumn: 'my_isbn' }))).toContain(
      'no column of titles found',
    );
    await writeFile(path, 'what it is called,my_isbn\nEmma,1\n');
    expect([...(await readItems(path, { itemColumn: 'my_isbn' })).titles]).toEqual([['1', 'Emma']]);
    expect(await userError(readItems(path))).toContain('no column of ids and none of titles found');
    await writeFile(path, 'text,item\nEmma,1\n');
    for (const itemColumn of [undefined, 'my_isbn'])
      expect([...(await readItems(path, { itemColumn })).titles]).toEqual([['1', 'Emma']]);
  });

  test('no such columns', async () => {
    const path = await folder.write('other.csv', 'a,b\n1,2\n');
    expect(await userError(readTitles(path))).toBe(
      `${path}: no column of ids and none of titles found; the columns are "a", "b"; call them id and title`,
    );
    await writeFile(path, 'id,title\n1,2\n3\n');
    expect(await userError(readTitles(path))).toBe(
      `${path}, line 3: 1 field where the header has 2; correct or remove the line`,
    );
  });

  test.skipIf(!hasShared)(`u.item of MovieLens 100K${why}`, async () => {
    const titles = await readTitles(`${shared}/ml-100k/u.item`);
    expect(titles.size).toBe(1682);
    expect(titles.get('543')).toBe('Misérables, Les (1995)');
  });
});

describe('genres', () => {
  const genresOf = async (name: string, content: string | Buffer) =>
    Object.fromEntries((await readItems(await folder.write(name, content))).genres);

  test('of movies.csv; what stands in parentheses is none', async () => {
    const { genres } = await readItems(`${sample}/movies.csv.gz`);
    expect(genres.size).toBe(9742);
    expect(genres.get('1')).toEqual(['Adventure', 'Animation', 'Children', 'Comedy', 'Fantasy']);
    expect(genres.get('114335')).toEqual([]);
    expect([...genres.values()].flat().filter((genre) => /^$|[|()]/.test(genre))).toEqual([]);
  });

  test('of movies.dat, whose first line may hold as many | as ::', async () => {
    const text =
      "1::Toy Story (1995)::Animation|Children's|Comedy\n2::Les Misérables (1995)::Drama\n3::C::\n";
    for (const [name, bytes] of [
      ['movies.dat', Buffer.from(text, 'latin1')],
      ['movies.dat.gz', gzipSync(Buffer.from(text, 'latin1'))],
    ] as const)
      expect(await genresOf(name, bytes)).toEqual({
        1: ['Animation', "Children's", 'Comedy'],
        2: ['Drama'],
        3: [],
      });
  });

  test('of u.item, a column each', async () => {
    const flags = (...set: number[]) => Array.from({ length: 19 }, (_, at) => (set.includes(at) ? 1 : 0));
    const line = (id: number, ...set: number[]) =>
      [id, `T, ${id}`, '01-Jan-1995', '', 'url', ...flags(...set)].join('|');
    expect(await genresOf('u.item', [line(1, 3, 4, 5), line(2, 0), line(3, 18), line(4)].join('\n'))).toEqual(
      {
        1: ['Animation', "Children's", 'Comedy'],
        2: [],
        3: ['Western'],
        4: [],
      },
    );
  });

  test('of any table with a column of them', async () => {
    const table = 'id,Name,Categories\n1,A,x|y\n2,B,\n1,C,z\n';
    expect(await genresOf('products.csv', table)).toEqual({ 1: ['x', 'y'], 2: [] });
    expect(await genresOf('names.csv', 'id,name\n1,A\n')).toEqual({ 1: [] });
  });

  test.skipIf(!hasShared)(`of MovieLens 100K${why}`, async () => {
    const { genres } = await readItems(`${shared}/ml-100k/u.item`);
    expect(genres.get('2')).toEqual(['Action', 'Adventure', 'Thriller']);
    const all = [...genres.values()].flat();
    expect(all.filter((genre) => genre === 'Drama')).toHaveLength(725);
    expect(new Set(all).size).toBe(18);
  });
});
