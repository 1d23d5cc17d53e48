import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namesIn, type SiteFiles } from '../artifact/site.ts';
import { UserError } from '../errors.ts';
import { built } from '../util/built.ts';

/** The file that a page begins with. */
export const INDEX = 'index.html';

/**
 * Reads a web page, all of it, so that it stays what it is while it is served or written.
 *
 * @param folder Default: the page that comes with cofactor.
 * @returns its files, but for a model that lies beside it; undefined if there is no page
 * @throws UserError if it cannot be read
 */
export async function readPage(folder = fileURLToPath(built('page/'))): Promise<SiteFiles | undefined> {
  try {
    const names = (await namesIn(folder)).filter((name) => !name.startsWith('model/'));
    if (!names.includes(INDEX)) return undefined;
    const files = names.map(async (name) => [name, await readFile(join(folder, name))] as const);
    return Object.fromEntries(await Promise.all(files));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new UserError('file', `the web page cannot be read (${code}); build it again: npm run build`);
  }
}
