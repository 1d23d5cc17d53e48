import { createHash } from 'node:crypto';
import { rmSync, type Stats } from 'node:fs';
import {
  access,
  constants,
  type FileHandle,
  lstat,
  mkdir,
  open,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { constants as systemConstants } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { option, UserError } from '../errors.ts';
import { atExit } from './at-exit.ts';
import { Lock } from './lock.ts';

const IN_WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
};

/** The code of an error of the system, such as `EACCES`, some with words. Node does not name all of them. */
export function codeOf(error: unknown): string {
  const { code, errno } = error as NodeJS.ErrnoException;
  const named = Object.entries(systemConstants.errno).find(([, number]) => number === -Number(errno));
  const name = named?.[0] ?? code ?? String(error);
  return IN_WORDS[name] ? `${name}: ${IN_WORDS[name]}` : name;
}

/**
 * Makes a file, and waits until what `write` writes is on the disk. All is done by its handle: in a folder that others may write,
 * another file can come in its place at any time.
 *
 * @param like what the file replaces, whose rights and owner it gets
 */
export async function makeFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  like?: Stats,
): Promise<void> {
  const file = await open(path, 'wx', like ? 0o600 : 0o666);
  try {
    await write(file);
    if (like) await likeOld(file, like);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function likeOld(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const is = await file.stat();
  // Only root may give files to others.
  if (is.uid !== uid || is.gid !== gid) await file.chown(uid, gid).catch(() => undefined);
  await file.chmod(mode & 0o777);
}

/** Writes a new file, and waits until it is on the disk. */
export const writeSynced = (path: string, bytes: Uint8Array, like?: Stats): Promise<void> =>
  makeFile(path, (file) => file.writeFile(bytes), like);

/** Waits until the names in a folder are on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a folder, and so cannot sync it.
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

/** Checks that a file or folder, or its nearest existing parent, can be written. @throws an error of the system */
export async function checkWritable(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    await checkWritable(dirname(path));
  }
}

/** Where a path leads, also if nothing is there yet. @throws UserError for a link to nothing */
export async function placeOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      throw new UserError('file', `${path}: cannot be opened (${code}); choose another path`);
  }
  // A pipe that a descriptor leads to has no path.
  if (await stat(path).catch(() => undefined))
    throw new UserError('file', `${path}: is a pipe or a device; give the name of a file`);
  if (await lstat(path).catch(() => undefined))
    throw new UserError('file', `${path}: is a link to nothing; remove it, or choose another path`);
  const parent = dirname(resolve(path));
  return parent === path ? path : join(await placeOf(parent), basename(resolve(path)));
}

/**
 * Checks that a file can be written or replaced.
 *
 * @returns where it is, with links followed
 * @throws UserError if it is a folder or a device, or cannot be written
 */
export async function checkReplaceable(path: string): Promise<string> {
  if (path === '') throw new UserError('argument', 'the name of a file to write is empty; give one');
  const place = await placeOf(path);
  const information = await stat(place).catch(() => undefined);
  if (information && !information.isFile())
    throw new UserError(
      'file',
      `${path}: is ${information.isDirectory() ? 'a folder' : 'a pipe or a device'}; give the name of a file`,
    );
  for (const one of [place, dirname(place)])
    await checkWritable(one).catch((error: NodeJS.ErrnoException) => {
      throw new UserError('file', `${path}: cannot be written (${error.code}); choose another`);
    });
  return place;
}

/**
 * Runs `work` with a temporary path beside `place`, where something can be made and then moved to `place`. One process at a time
 * does so. What it leaves is removed, by the next call if the process was killed.
 *
 * @param what the path that is to be written, for messages
 * @throws UserError if another process is writing there
 */
export async function withIncoming<T>(
  place: string,
  what: string,
  work: (incoming: string) => Promise<T>,
): Promise<T> {
  const lock = Lock.take(besides(place, 'lock'), what);
  const incoming = besides(place, 'incoming');
  const isThere = (): Promise<boolean> => lstat(incoming).then(Boolean, () => false);
  let isOurs = lock.wasLeft;
  let forget = (): void => undefined;
  try {
    if (!isOurs && (await isThere())) throw new UserError('file', `${incoming}: is in the way; move it`);
    isOurs = true;
    forget = atExit(() => rmSync(incoming, { recursive: true, force: true }));
    await rm(incoming, { recursive: true, force: true });
    return await work(incoming).finally(() =>
      rm(incoming, { recursive: true, force: true }).catch(() => undefined),
    );
  } finally {
    forget();
    // What could not be removed is for the next call.
    lock.release(isOurs && (await isThere()));
  }
}

/** Bytes of a name that leave room for more; file systems take 255. */
const MOST_NAME = 200;

/** A hidden path beside another. */
export function besides(place: string, what: string): string {
  const name = basename(place);
  const short = Buffer.byteLength(name) > MOST_NAME ? createHash('sha256').update(name).digest('hex') : name;
  return join(dirname(place), `.${short}.cofactor-${what}`);
}

/**
 * Writes or replaces a file atomically: after a kill, the old file is there or the new one. A link stays; its target is replaced.
 *
 * @param what its content, for messages
 * @param write writes it to a new file
 * @param makes whether its folder is made
 * @throws UserError if it cannot be written
 */
export async function replaceFileBy(
  path: string,
  what: string,
  write: (file: FileHandle, incoming: string) => Promise<void>,
  makes = true,
): Promise<void> {
  try {
    const place = await checkReplaceable(path);
    if (makes) await mkdir(dirname(place), { recursive: true });
    await withIncoming(place, path, async (incoming) => {
      const old = await stat(place).catch(() => undefined);
      await makeFile(incoming, (file) => write(file, incoming), old);
      await rename(incoming, place);
    });
    await syncDirectory(dirname(place));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('file', `${path}: ${what} could not be written (${codeOf(error)})`);
  }
}

/**
 * Writes or replaces a file with these bytes, as `replaceFileBy` does.
 *
 * @throws UserError if it cannot be written
 */
export const replaceFile = (path: string, bytes: Uint8Array, what: string, makes = true): Promise<void> =>
  replaceFileBy(path, what, (file) => file.writeFile(bytes), makes);

export interface ReadRegular {
  /** Bytes that the file may have. */
  readonly most: number;
  /** Whether it may be a link. @default false */
  readonly links?: boolean | undefined;
}

// Windows has neither.
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
/** Linux reads no more at once. */
const MOST_AT_ONCE = 2 ** 30;

/**
 * Reads a regular file of a folder that a stranger may have made. It never waits for another process, as it would at a pipe.
 *
 * @returns the file, or its first bytes if it is too long: one more than `most`
 * @throws UserError if it is a link or anything but a file; an error of the system if it cannot be read
 */
export async function readRegular(path: string, { most, links = false }: ReadRegular): Promise<Buffer> {
  const file = await open(path, O_RDONLY | O_NONBLOCK | (links ? 0 : O_NOFOLLOW)).catch((error) => {
    const what = { ELOOP: 'a link', EMLINK: 'a link', ENXIO: 'a socket or a device' }[error.code as string];
    throw what === undefined ? error : irregular(path, what);
  });
  try {
    const information = await file.stat();
    if (!information.isFile())
      throw irregular(path, information.isDirectory() ? 'a folder' : 'a pipe or a device');
    const bytes = Buffer.alloc(Math.min(information.size, most + 1));
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, MOST_AT_ONCE));
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

const irregular = (path: string, what: string): UserError =>
  new UserError(
    'file',
    `${path}: is ${what}, not a file; ${what === 'a link' ? `put the file itself there, or give ${option('trust')} if you made the link` : 'put the file itself there'}`,
  );
