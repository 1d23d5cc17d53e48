import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect } from 'vitest';
import { UserError } from '../../src/errors.ts';

export const sample = 'src/data/sample/ml-latest-small';
/** MovieLens 100K may not be redistributed, so it stands beside the project, where it is at all. */
export const shared = '../shared/data';
export const hasShared = existsSync(join(shared, 'ml-100k/u.data'));
export const why = hasShared
  ? ''
  : ` (skipped: no ${shared}/ml-100k; "cofactor download ml-100k" fetches it)`;

/** A file of the sample data, without its compression: `shop/orders.csv`. */
export const unzipped = async (name: string): Promise<Buffer> =>
  gunzipSync(await readFile(join('src/data/sample', `${name}.gz`)));

/** A folder for the tests of one file; `write` gives the path of a new file in it. */
export function temporaryFolder() {
  const folder = {
    path: '',
    write: async (name: string, content: string | Buffer) => {
      const file = join(folder.path, name);
      await writeFile(file, content);
      return file;
    },
    names: () => readdir(folder.path),
  };
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'cofactor-'));
  });
  afterAll(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}

/** The message of the UserError that a promise ends in, which must be one line. */
export async function userError(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => expect.fail('no error'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  expect(message.length).toBeLessThan(1000);
  return message;
}

/** The same for an error with the code 'argument'. */
export async function argumentError(promise: Promise<unknown>): Promise<string> {
  await expect(promise).rejects.toMatchObject({ code: 'argument' });
  return userError(promise);
}
