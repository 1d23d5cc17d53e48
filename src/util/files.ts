import { constants, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { option, UserError } from '../errors.ts';

/** Prefix of a file or folder while it is written, before it is renamed. */
export const INCOMING = '.incoming-';

/** Writes a new file, and waits until it is on the disk. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes or replaces a file atomically: after a kill, the old file is there or the new one.
 *
 * @throws UserError if it cannot be written
 */
export async function replaceFile(path: string, bytes: Uint8Array, what: string): Promise<void> {
  const incoming = `${path}.incoming`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await rm(incoming, { force: true });
    await writeSynced(incoming, bytes);
    await rename(incoming, path);
  } catch (error) {
    await rm(incoming, { force: true }).catch(() => undefined);
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError('file', `${path}: ${what} could not be written (${code ?? error})`);
  }
}

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
