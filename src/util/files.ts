import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';

/** How the name of something new begins that is being written beside what it will be. */
export const INCOMING = '.incoming-';

/** Writes a new file, all of it, and waits until the disk has it. */
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
 * Writes a file in place of one that may be there, so that a kill leaves that or the new one.
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
