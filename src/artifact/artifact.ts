import { access } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { placeOf, type ReadRegular, readRegular } from '../util/files.ts';
import { checkArgument, path } from '../util/options.ts';
import { type FolderKind, OwnFolder, pendingIn } from '../util/own-folder.ts';
import { COPY_AGAIN } from './damage.ts';
import type { FetchOptions } from './fetch.ts';
import {
  type Artifact,
  checkFile,
  isOfModel,
  MANIFEST,
  type Manifest,
  MOST_MANIFEST_BYTES,
  parseManifest,
  servedFiles,
} from './manifest.ts';
import { checkNotInSite } from './site.ts';

/** Hidden files with the state of a running training, in the folder of its model: of what is saved, and of what is judged before. */
export const CHECKPOINT = 'checkpoint';
export const TRIAL_CHECKPOINT = 'trial-checkpoint';

const MODEL_FOLDER: FolderKind = {
  mark: 'model',
  has: isOfModel,
  list: MANIFEST,
  mostBytes: MOST_MANIFEST_BYTES,
  listedIn: (bytes) => parseManifest(bytes, MANIFEST).files,
};

/**
 * Makes or takes a folder to write a model in, until it is closed.
 *
 * @throws UserError if it holds files of others, cannot be written, or another process writes in it
 */
export async function openModelFolder(directory: string): Promise<OwnFolder> {
  await checkNotInSite(directory, await placeOf(directory));
  return OwnFolder.open(directory, MODEL_FOLDER);
}

/** Writes an artifact into a folder of its own, as a whole. @throws UserError if it cannot be written */
export const writeInto = (folder: OwnFolder, { manifest, files }: Artifact): Promise<void> =>
  folder.replace({ ...files, [MANIFEST]: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) });

/**
 * Writes an artifact so that a kill at any moment leaves the old artifact or the new one.
 *
 * @throws UserError as `openModelFolder` and `writeInto` do
 */
export async function writeArtifact(directory: string, artifact: Artifact): Promise<void> {
  const folder = await openModelFolder(directory);
  try {
    await writeInto(folder, artifact);
  } finally {
    folder.close();
  }
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
 * Reads the files of an artifact that serve, public ones and private ones if asked, and checks each against the manifest.
 *
 * @throws UserError if there is none, or it is broken
 */
export function readServed(directory: string, options: FetchOptions & ReadOptions = {}): Promise<Artifact> {
  return readFiles(directory, (manifest) => servedFiles(manifest, options), options);
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
