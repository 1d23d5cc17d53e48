import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import * as v from 'valibot';
import { UserError } from '../errors.ts';
import {
  besides,
  codeOf,
  placeOf,
  readRegular,
  syncDirectory,
  withIncoming,
  writeSynced,
} from '../util/files.ts';
import { checkNotHidden, isAsListed, type Listed, listedSchema, listOf } from '../util/own-folder.ts';
import { list } from '../util/text.ts';
import { VERSION } from '../version.ts';
import { type Artifact, MANIFEST, privateFiles } from './manifest.ts';

/** The file that marks a folder as a site of ours, and lists all files that were written, with their SHA-256. */
export const SITE_MARK = 'cofactor-site.json';

/** Files by their paths, whose parts are joined by `/`. */
export type SiteFiles = Readonly<Record<string, Uint8Array>>;

/** Files that a page, which has one visitor, does not need. */
const NEEDLESS: readonly string[] = ['fold-in-many.onnx'];

/**
 * The part of an artifact that is published: its public files. A page does not need those about users, because its visitors are
 * other people. The other files and their hashes do not change, so that a download can be checked.
 */
export function published({ manifest, files }: Artifact): Artifact {
  const hidden = [...privateFiles(manifest), ...NEEDLESS];
  const shown = <Part>(parts: Readonly<Record<string, Part>>): Record<string, Part> =>
    Object.fromEntries(Object.entries(parts).filter(([name]) => !hidden.includes(name)));
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
    const target = await placeOf(directory);
    checkNotHidden(directory, target);
    await checkReplaceable(directory, target);
    const files = siteFiles(page, artifact);
    if (!existsSync(dirname(target))) await mkdir(dirname(target), { recursive: true });
    await withIncoming(target, directory, async (incoming) => {
      await settle(target);
      await write(incoming, files);
      await replace(target, incoming, await checkReplaceable(directory, target));
    });
    return files;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof UserError) throw error;
    throw new UserError(
      'file',
      `${directory}: the site could not be written (${codeOf(error)}); choose another folder`,
    );
  }
}

function siteFiles(page: SiteFiles, artifact: Artifact): SiteFiles {
  const model = Object.entries(publishedFiles(artifact)).map(([name, bytes]) => [`model/${name}`, bytes]);
  const files: SiteFiles = { ...page, ...Object.fromEntries(model) };
  const mark = { cofactor: VERSION, files: listOf(files) };
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
  if ((await readdir(target)).length === 0) return true;
  const written = await writtenIn(target);
  if (!written)
    throw new UserError('file', `${directory}: has other files and no site; choose a new or an empty folder`);
  const others = await othersIn(target, written);
  if (others.length === 0) return true;
  throw new UserError(
    'file',
    `${directory}: has files that are not as the site had them, and would be lost: ${list(others)}; move them, or choose another folder`,
  );
}

/** Paths of all files, links and empty folders in a folder and its subfolders, with parts joined by `/`. */
export async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const full = new Set(entries.map(({ parentPath }) => parentPath));
  return entries
    .filter((entry) => !entry.isDirectory() || !full.has(join(entry.parentPath, entry.name)))
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'))
    .sort();
}

/** @throws UserError for a place in a site, all of which is published */
export async function checkNotInSite(path: string, place: string): Promise<void> {
  for (let folder = dirname(place); ; folder = dirname(folder)) {
    if (await writtenIn(folder))
      throw new UserError(
        'argument',
        `${path}: is in a site, all of which is published; choose a place outside of it`,
      );
    if (folder === dirname(folder)) return;
  }
}

/** The files that a site's mark lists; undefined for a folder without a mark. */
async function writtenIn(folder: string): Promise<Listed | undefined> {
  try {
    return v.parse(MARK, JSON.parse((await readRegular(join(folder, SITE_MARK), { most: 1e6 })).toString()))
      .files;
  } catch {
    return undefined;
  }
}

const MARK = v.object({ cofactor: v.string(), files: listedSchema });

/** The files in a folder that a mark does not list by name and content. */
async function othersIn(folder: string, written: Listed): Promise<string[]> {
  const others: string[] = [];
  for (const name of await namesIn(folder))
    if (name !== SITE_MARK && !(await isAsListed(folder, name, written))) others.push(name);
  return others;
}

async function write(folder: string, files: SiteFiles): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeSynced(join(folder, name), bytes);
  }
}

async function replace(target: string, incoming: string, replaces: boolean): Promise<void> {
  const outgoing = besides(target, 'outgoing');
  if (replaces) await rename(target, outgoing);
  await rename(incoming, target).catch(async (error) => {
    if (replaces) await rename(outgoing, target);
    throw error;
  });
  await syncDirectory(dirname(target));
  if (replaces) await removeSite(outgoing);
}

/** Cleans up after a call that was killed: restores an old site that has no successor, or removes it. */
async function settle(target: string): Promise<void> {
  const outgoing = besides(target, 'outgoing');
  if (!(await stat(outgoing).catch(() => undefined))) return;
  if (await stat(target).catch(() => undefined)) await removeSite(outgoing);
  else await rename(outgoing, target);
}

/** Removes an old site, but nothing that it did not have. @throws UserError if there is something else */
async function removeSite(folder: string): Promise<void> {
  const others = await othersIn(folder, (await writtenIn(folder)) ?? {});
  if (others.length > 0)
    throw new UserError(
      'file',
      `${folder}: has files that are not the old site's: ${list(others)}; move them`,
    );
  // The mark goes last: after a kill, the next call still knows what the rest is.
  for (const name of await readdir(folder))
    if (name !== SITE_MARK) await rm(join(folder, name), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}
