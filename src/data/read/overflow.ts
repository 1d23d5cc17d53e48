import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { option, UserError } from '../../errors.ts';
import { codeOf } from '../../util/files.ts';
import { ScratchFolder } from '../../util/scratch-folder.ts';
import type { Overflow } from './row-store.ts';

export const tooLittleMemory = (): UserError =>
  new UserError(
    'argument',
    `reading the ratings needs more memory than it may take; allow more with ${option('memory')}`,
  );

/** A temporary folder, with a file for rows that the memory has no room for. */
export class Scratch implements Overflow {
  private readonly folder: ScratchFolder;
  private file: number | undefined;
  private written = 0;

  /**
   * @param room bytes of memory for rows
   * @param roomForIds bytes of memory for ids
   * @throws UserError if the folder cannot be written
   */
  constructor(
    folder: string,
    readonly room: number,
    private readonly roomForIds: number,
  ) {
    try {
      this.folder = new ScratchFolder(folder);
    } catch (error) {
      throw new UserError('file', `${folder}: cannot be written (${codeOf(error)}); choose another folder`);
    }
  }

  get path(): string {
    return this.folder.path;
  }

  checkIds(bytes: number): void {
    if (bytes > this.roomForIds) throw tooLittleMemory();
  }

  write(bytes: Uint8Array): void {
    this.file ??= openSync(join(this.path, 'rows'), 'wx+');
    for (let at = 0; at < bytes.length; ) {
      const written = writeSync(this.file, bytes, at, bytes.length - at, this.written);
      at += written;
      this.written += written;
    }
  }

  read(bytes: Uint8Array, position: number): void {
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(this.file as number, bytes, at, bytes.length - at, position + at);
      if (read === 0) throw new Error('the file of rows was cut off while it was read');
      at += read;
    }
  }

  /** Removes the folder and what is in it. */
  remove(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.folder.remove();
  }
}
