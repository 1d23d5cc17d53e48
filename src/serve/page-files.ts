import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namesIn, type SiteFiles } from '../artifact/site.ts';
import { UserError } from '../errors.ts';
import { built } from '../util/built.ts';

/** The main file of a page. */
export const INDEX = 'index.html';

/**
 * Reads all files of a web page to memory, so that they do not change while they are served or written.
 *
 * @param folder folder of the page. Default: the page that comes with cofactor
 * @returns its files without the model in it; undefined if there is no page
 * @throws UserError if the page cannot be read
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
