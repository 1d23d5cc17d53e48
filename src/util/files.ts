import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';

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
