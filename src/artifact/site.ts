import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../errors.ts';
import { writeSynced } from '../util/files.ts';
import { list } from '../util/text.ts';
import { VERSION } from '../version.ts';
import { type Artifact, MANIFEST } from './manifest.ts';

/** The file that marks a folder as a site of ours, and lists all files that were written. */
export const SITE_MARK = 'cofactor-site.json';

/** Files by their paths, whose parts are joined by `/`. */
export type SiteFiles = Readonly<Record<string, Uint8Array>>;

/** Files with data about users: their ids, their factors, and what they rated. */
const PRIVATE: readonly string[] = ['predict.onnx', 'recommend.onnx', 'seen.onnx'];
/** Files that a page, which has one visitor, does not need. */
const NEEDLESS: readonly string[] = ['fold-in-many.onnx'];

/**
 * The part of an artifact that may be published: the files without data about users. A page does not need those, because
 * its visitors are other people. The other files and their hashes do not change, so that a download can be checked.
 */
export function published({ manifest, files }: Artifact): Artifact {
  const shown = <Part>(parts: Readonly<Record<string, Part>>): Record<string, Part> =>
    Object.fromEntries(Object.entries(parts).filter(([name]) => ![...PRIVATE, ...NEEDLESS].includes(name)));
  return { manifest: { ...manifest, files: shown(manifest.files) }, files: shown(files) };
}

/** The files under `model/` of a site: those of a published artifact, and the manifest that lists them. */
export function publishedFiles(artifact: Artifact): SiteFiles {
  const { manifest, files } = published(artifact);
  return { ...files, [MANIFEST]: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) };
}

/**
 * Writes a site for any static host: the files of the page, and the published artifact under `model/`. It replaces an
 * older site as a whole. A kill leaves the old site or the new one; between two renames it leaves the old site beside its
 * folder, and the next call restores it.
 *
 * @returns all files that were written
 * @throws UserError if the folder holds other files, or cannot be written
 */
export async function writeSite(directory: string, page: SiteFiles, artifact: Artifact): Promise<SiteFiles> {
  if (directory === '') throw new UserError('argument', 'the name of the folder is empty; give one');
  try {
    // A link stays; its target is replaced.
    const target = await realpath(directory).catch(() => resolve(directory));
    await settle(target);
    const replaces = await checkReplaceable(directory, target);
    const files = siteFiles(page, artifact);
    await replace(target, files, replaces);
    return files;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof UserError) throw error;
    throw new UserError(
      'file',
      `${directory}: the site could not be written (${code}); choose another folder`,
    );
  }
}

function siteFiles(page: SiteFiles, artifact: Artifact): SiteFiles {
  const model = Object.entries(publishedFiles(artifact)).map(([name, bytes]) => [`model/${name}`, bytes]);
  const files: SiteFiles = { ...page, ...Object.fromEntries(model) };
  const mark = { cofactor: VERSION, files: Object.keys(files).sort() };
  return { ...files, [SITE_MARK]: Buffer.from(`${JSON.stringify(mark, null, 2)}\n`) };
}

/**
 * @returns whether there is a folder to replace
 * @throws UserError if it holds anything that is not a site's
 */
async function checkReplaceable(directory: string, target: string): Promise<boolean> {
  const information = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!information) return false;
  if (!information.isDirectory()) throw new UserError('file', `${directory}: is a file; give a folder`);
  const inside = relative(target, process.cwd());
  if (!isAbsolute(inside) && inside.split(sep)[0] !== '..')
    throw new UserError(
      'file',
      `${directory}: is the current folder, which cannot be replaced; choose another folder`,
    );
  const names = await namesIn(target);
  if (names.length === 0) return true;
  const written = await writtenNames(target);
  if (!written)
    throw new UserError('file', `${directory}: has other files and no site; choose a new or an empty folder`);
  const others = names.filter((name) => !written.includes(name));
  if (others.length === 0) return true;
  throw new UserError(
    'file',
    `${directory}: has files that are not the site's, which would be lost: ${list(others)}; move them, or choose another folder`,
  );
}

/** Paths of all files and links in a folder and its subfolders, with parts joined by `/`. */
export async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'))
    .sort();
}

/** The files that a site's mark lists, and the mark itself; undefined for a folder without a mark. */
async function writtenNames(folder: string): Promise<string[] | undefined> {
  try {
    const { cofactor, files } = JSON.parse(await readFile(join(folder, SITE_MARK), 'utf8'));
    return typeof cofactor === 'string' && Array.isArray(files) ? [...files, SITE_MARK] : undefined;
  } catch {
    return undefined;
  }
}

/** Path of a new site before it moves to its place, or of an old one after it left: a hidden folder beside it. */
const beside = (target: string, way: 'incoming' | 'outgoing'): string =>
  join(dirname(target), `.${basename(target)}.cofactor-${way}-`);

async function replace(target: string, files: SiteFiles, replaces: boolean): Promise<void> {
  const suffix = randomBytes(4).toString('hex');
  const [incoming, outgoing] = [beside(target, 'incoming') + suffix, beside(target, 'outgoing') + suffix];
  try {
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(incoming, name)), { recursive: true });
      await writeSynced(join(incoming, name), bytes);
    }
    if (replaces) await rename(target, outgoing);
    await rename(incoming, target).catch(async (error) => {
      if (replaces) await rename(outgoing, target);
      throw error;
    });
  } catch (error) {
    await rm(incoming, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
  await rm(outgoing, { recursive: true, force: true });
}

/** Cleans up after a call that was killed: restores an old site that has no successor, and removes the rest. */
async function settle(target: string): Promise<void> {
  const folder = dirname(target);
  const names = await readdir(folder).catch(() => []);
  const left = (way: 'incoming' | 'outgoing'): string[] => {
    const start = basename(beside(target, way));
    return names
      .filter((name) => name.startsWith(start) && /^[0-9a-f]{8}$/.test(name.slice(start.length)))
      .map((name) => join(folder, name));
  };
  const old = left('outgoing');
  const isThere = await stat(target).catch(() => undefined);
  if (!isThere && old.length > 0) await rename(old.pop() as string, target);
  for (const path of [...old, ...left('incoming')]) await rm(path, { recursive: true, force: true });
}
