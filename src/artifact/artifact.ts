import { randomBytes } from 'node:crypto';
import { access, constants, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { INCOMING, type ReadRegular, readRegular, writeSynced } from '../util/files.ts';
import { checkArgument, path } from '../util/options.ts';
import { COPY_AGAIN } from './damage.ts';
import type { FetchOptions } from './fetch.ts';
import {
  type Artifact,
  checkFile,
  MANIFEST,
  type Manifest,
  MOST_MANIFEST_BYTES,
  parseManifest,
  servedFiles,
} from './manifest.ts';

/** Folder of a new, complete artifact whose files are moving to their places. */
const PENDING = '.pending';

/** File with the state of a running training, in the folder of its model. */
export const CHECKPOINT = '.checkpoint';

/**
 * Checks, before a training begins, that an artifact can be written to `directory`.
 *
 * @throws UserError if it is a file, holds other files, or cannot be written
 */
export async function checkTarget(directory: string): Promise<void> {
  if (directory === '') throw new UserError('argument', 'the name of the folder is empty; give one');
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw new UserError('file', `${directory}: is a file; give a folder`);
    throw new UserError('file', `${directory}: cannot be read (${error.code})`);
  });
  const others = names.filter((name) => !name.startsWith(INCOMING) && !name.startsWith(CHECKPOINT));
  if (others.length > 0 && !others.includes(PENDING) && !(await isArtifact(directory))) {
    throw new UserError(
      'file',
      `${directory}: has other files and no model; choose a new or an empty folder`,
    );
  }
  await checkWritable(resolve(directory)).catch((error: NodeJS.ErrnoException) => {
    throw new UserError('file', `${directory}: cannot be written (${error.code}); choose another folder`);
  });
}

async function isArtifact(directory: string): Promise<boolean> {
  // Other programs, too, write a manifest.json. One of ours may be overwritten even if it was cut off.
  const bytes = await readRegular(join(directory, MANIFEST), { most: MOST_MANIFEST_BYTES }).catch(
    () => undefined,
  );
  return bytes !== undefined && /^\s*\{\s*"format": \d+,\s*"cofactor":/.test(bytes.toString('utf8', 0, 200));
}

/** Checks that a folder, or its nearest existing parent, can be written. */
async function checkWritable(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    await checkWritable(dirname(path));
  }
}

/**
 * Writes an artifact so that a kill at any moment leaves the old artifact or the new one. All files are written and
 * synced to a hidden folder. Renaming that folder makes the new artifact valid. Then its files move to their places, the
 * manifest last. After a kill, a reader or the next writer continues from there.
 *
 * @throws UserError if `directory` holds other files, or cannot be written
 */
export async function writeArtifact(directory: string, { manifest, files }: Artifact): Promise<void> {
  await checkTarget(directory);
  const target = resolve(directory);
  const incoming = join(target, INCOMING + randomBytes(4).toString('hex'));
  try {
    await mkdir(target, { recursive: true });
    await settle(target);
    await mkdir(incoming);
    for (const [name, bytes] of Object.entries(files)) await writeSynced(join(incoming, name), bytes);
    await writeSynced(join(incoming, MANIFEST), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    await syncDirectory(incoming);
    await rename(incoming, join(target, PENDING));
    await syncDirectory(target);
    await settle(target);
    await syncDirectory(dirname(target));
  } catch (error) {
    await rm(incoming, { recursive: true, force: true }).catch(() => undefined);
    throw new UserError(
      'file',
      `${directory}: the model could not be written (${(error as NodeJS.ErrnoException).code ?? error})`,
    );
  }
}

/** Finishes the work of a killed writer: moves a complete artifact to its place, and removes an incomplete one. */
async function settle(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(INCOMING)) await rm(join(directory, name), { recursive: true, force: true });
  }
  const pending = await pendingIn(directory);
  if (pending === undefined) return rm(join(directory, PENDING), { recursive: true, force: true });
  const names = await readdir(pending);
  if (names.includes(MANIFEST)) {
    // Files that the new artifact lacks go first: only the old manifest lists them.
    const next = await filesOf(pending);
    for (const name of await filesOf(directory))
      if (!next.includes(name)) await rm(join(directory, name), { force: true });
  }
  const heads = names.filter((name) => name !== MANIFEST);
  for (const name of heads) await rename(join(pending, name), join(directory, name));
  if (names.includes(MANIFEST)) await rename(join(pending, MANIFEST), join(directory, MANIFEST));
  await rm(pending, { recursive: true, force: true });
  await syncDirectory(directory);
}

/** The folder of an artifact that moves to its place. Only a writer makes it, so it is no link. */
async function pendingIn(directory: string): Promise<string | undefined> {
  const path = join(directory, PENDING);
  const isFolder = await lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? path : undefined;
}

/** Names of the files that a folder's manifest lists; none if the manifest is missing or broken. */
async function filesOf(directory: string): Promise<string[]> {
  const bytes = await readRegular(join(directory, MANIFEST), { most: MOST_MANIFEST_BYTES }).catch(
    () => undefined,
  );
  try {
    return bytes ? Object.keys(parseManifest(bytes, join(directory, MANIFEST)).files) : [];
  } catch {
    return [];
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a folder, and so cannot sync it.
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

/** How the folder of a model is read. */
export interface ReadOptions {
  /** Whether its files may be links, because it is one's own. @default false */
  readonly trust?: boolean | undefined;
}

/**
 * Reads an artifact and checks every file against its manifest.
 *
 * @throws UserError if there is none, or it is broken
 */
export function readArtifact(directory: string, options: ReadOptions = {}): Promise<Artifact> {
  return readFiles(directory, ({ files }) => Object.keys(files), options);
}

/**
 * Reads the files of an artifact that serve, and checks each against the manifest.
 *
 * @throws UserError if there is none, or it is broken
 */
export function readServed(directory: string, options: FetchOptions & ReadOptions = {}): Promise<Artifact> {
  return readFiles(directory, (manifest) => servedFiles(manifest, options.heads), options);
}

/**
 * Reads the manifest of an artifact alone.
 *
 * @throws UserError if there is none, or it is broken
 */
export async function readManifest(directory: string, options: ReadOptions = {}): Promise<Manifest> {
  return parseManifest(await readManifestBytes(directory, options), join(directory, MANIFEST));
}

const readManifestBytes = (directory: string, { trust }: ReadOptions): Promise<Buffer> =>
  readPart(directory, MANIFEST, { most: MOST_MANIFEST_BYTES, links: trust });

async function readFiles(
  directory: string,
  namesOf: (manifest: Manifest) => readonly string[],
  options: FetchOptions & ReadOptions,
): Promise<Artifact> {
  checkArgument('the folder of the model is', directory, path);
  if (/^(https?|file):/i.test(directory))
    throw new UserError('argument', `${directory}: is an address; give the path of a folder`);
  const bytes = await readManifestBytes(directory, options);
  try {
    const manifest = parseManifest(bytes, join(directory, MANIFEST));
    return await readNamed(directory, manifest, namesOf(manifest), options);
  } catch (error) {
    // A new artifact may have been written in the meantime.
    if (options.signal?.aborted || bytes.equals(await readManifestBytes(directory, options))) throw error;
    return readFiles(directory, namesOf, options);
  }
}

async function readNamed(
  directory: string,
  manifest: Manifest,
  names: readonly string[],
  { signal, onProgress, trust }: FetchOptions & ReadOptions,
): Promise<Artifact> {
  const files: Record<string, Uint8Array> = {};
  const total = names.reduce((sum, name) => sum + manifest.files[name].bytes, 0);
  const memory = Math.min(totalmem(), process.constrainedMemory?.() || Number.POSITIVE_INFINITY);
  // A file with holes takes no room on the disk.
  if (total > memory)
    throw new UserError(
      'model',
      `${directory}: has files of ${total} bytes, more than the ${memory} of the memory; use a larger machine`,
    );
  let loaded = 0;
  for (const name of names) {
    signal?.throwIfAborted();
    files[name] = await readPart(directory, name, { most: manifest.files[name].bytes, links: trust });
    await checkFile(manifest, name, files[name], join(directory, name));
    loaded += files[name].length;
    onProgress?.({ loaded, total });
  }
  return { manifest, files };
}

/** Reads a file of the valid artifact, which may not have moved to its place yet. */
async function readPart(directory: string, name: string, how: ReadRegular): Promise<Buffer> {
  const pending = await pendingIn(directory);
  for (const folder of pending === undefined ? [directory] : [pending, directory]) {
    const path = join(folder, name);
    try {
      return await readRegular(path, how);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        throw new UserError('file', `${path}: cannot be read (${code})`);
    }
  }
  throw new UserError(
    'model',
    name === MANIFEST
      ? `${directory}: is not a trained model: ${await access(directory).then(
          () => `there is no ${MANIFEST} in it`,
          () => 'there is no such folder',
        )}; make one with npx cofactor train`
      : `${join(directory, name)}: is missing, though ${MANIFEST} lists it; ${COPY_AGAIN}`,
  );
}
