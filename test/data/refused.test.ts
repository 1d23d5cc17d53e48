import { describe, expect, test } from 'vitest';
import { download } from '../../src/data/movielens.ts';
import { readItems } from '../../src/data/read/items.ts';
import {
  readExclusions,
  readOwnRatings,
  readPairs,
  readRatings,
  readUsers,
} from '../../src/data/read/read.ts';
import { argumentError } from '../support/files.ts';

/** What a program in JavaScript may give: anything. */
type Read = (path?: unknown, options?: unknown) => Promise<unknown>;

const readers = { readRatings, readItems, readUsers, readExclusions, readOwnRatings, readPairs } as Record<
  string,
  Read
>;

describe.each(Object.entries(readers))('%s refuses', (_, read) => {
  test.each([
    [undefined, 'the path is undefined; give a path'],
    [5, 'the path is 5; give a path'],
    ['', 'the path is ""; give a path'],
    [[5], 'the path is [5]; give a path'],
    [{ path: 'ratings.csv' }, 'the path is {"path":"ratings.csv"}; give a path'],
  ])('%j for a path', async (path, message) => {
    expect(await argumentError(read(path))).toContain(message);
  });

  test.each([
    [{ itemColumn: 5 }, 'itemColumn is 5; give a text'],
    [{ item: 'film' }, 'there is no option "item"; it is called itemColumn now'],
    [{ items: 'film' }, 'there is no option "items"; the options are '],
    [null, 'the options are null; give an object with any of '],
    [0.2, 'the options are 0.2; give an object with any of '],
    [['item'], 'the options are ["item"]; give an object with any of '],
  ])('%j for options', async (options, message) => {
    expect(await argumentError(read('ratings.csv', options))).toContain(message);
  });
});

test.each([
  [{ header: 'no' }, 'header is "no"; give true or false'],
  [{ encoding: 'latin-x' }, 'encoding is "latin-x"; give a name of the Encoding Standard'],
  [{ delimiter: /,/ }, 'delimiter is of type RegExp; give a text'],
  [{ seed: 'x', valid: 0.2 }, 'seed is "x"; give a number'],
  [{ vocabulary: ['u1'] }, 'vocabulary is ["u1"]; give an object with userIds and itemIds, such as Ratings'],
  [{ store: 5 }, 'store is 5; give true, false, or an object of options'],
  [{ store: { place: 'here' } }, 'there is no option "place"; the options are from, folder, '],
  [{ store: { memory: '2GB' } }, 'memory is "2GB"; give a number from 0'],
  [{ store: { blocks: 4 } }, 'blocks is 4; give two whole numbers, such as [4, 4]'],
])('readRatings refuses %j', async (options, message) => {
  expect(await argumentError(readers.readRatings('ratings.csv', options))).toContain(message);
});

test.each([
  [undefined, {}, 'the folder is undefined; give a path'],
  ['data', { url: 'http://x' }, 'there is no option "url"; the options are onProgress, '],
  ['data', { onProgress: 1 }, 'onProgress is 1; give a function'],
  ['data', null, 'the options are null'],
])('download to %j with %j is refused', async (folder, options, message) => {
  expect(await argumentError(download('ml-100k', folder as string, options as object))).toContain(message);
});
