import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MANIFEST, parseManifest, privateFiles } from '../artifact/manifest.ts';
import { namesIn, type SiteFiles } from '../artifact/site.ts';
import { UserError } from '../errors.ts';
import { built } from '../util/built.ts';
import { HIDDEN } from '../util/own-folder.ts';

/** The main file of a page. */
export const INDEX = 'index.html';

/**
 * Reads all files of a web page to memory, so that they do not change while they are served or written.
 *
 * @param folder folder of the page. Default: the page that comes with cofactor
 * @returns its files without the model in it, and without the private files of others; undefined if there is no page
 * @throws UserError if the page cannot be read
 */
export async function readPage(folder = fileURLToPath(built('page/'))): Promise<SiteFiles | undefined> {
  try {
    const names = (await namesIn(folder)).filter((name) => !name.startsWith('model/'));
    if (!names.includes(INDEX)) return undefined;
    const files = names.map(async (name) => [name, await readFile(join(folder, name))] as const);
    return withoutUsers(Object.fromEntries(await Promise.all(files)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new UserError('file', `the web page cannot be read (${code}); build it again: npm run build`);
  }
}

/** A page of one's own may have models beside it, as training wrote them. */
function withoutUsers(files: SiteFiles): SiteFiles {
  const hidden = Object.entries(files).flatMap(([name, bytes]) =>
    posix.basename(name) === MANIFEST ? privateBeside(name, bytes) : [],
  );
  return Object.fromEntries(
    Object.entries(files).filter(([name]) => !hidden.includes(name) && !name.split('/').includes(HIDDEN)),
  );
}

function privateBeside(name: string, bytes: Uint8Array): string[] {
  try {
    return privateFiles(parseManifest(bytes, name)).map((file) => posix.join(posix.dirname(name), file));
  } catch {
    // Other programs, too, have a manifest.json.
    return [];
  }
}
