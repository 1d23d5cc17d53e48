import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { Stratum } from './strata.ts';

/** Bytes per rating: two positions and the rating. */
export const BYTES_PER_RATING = 12;

const abandoned = new FinalizationRegistry<FileHandle>((handle) => {
  handle.close().catch(() => undefined);
});

/** A file of ratings by strata. It is deleted when it is closed or garbage-collected, or when the process ends. */
export class StrataFile {
  private constructor(private readonly handle: FileHandle) {
    abandoned.register(this, handle, this);
  }

  static async create(folder: string): Promise<StrataFile> {
    const path = join(folder, `cofactor-${randomUUID()}`);
    const handle = await open(path, 'wx+');
    // The name goes, the handle stays. Windows keeps the name until the file is closed.
    await rm(path).catch(() => undefined);
    return new StrataFile(handle);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (bytes.length > 0) await this.handle.write(bytes, 0, bytes.length, position);
  }

  /** Reads a stratum: all users, then all items, then all ratings. */
  async read(starts: Float64Array, number: number): Promise<Stratum> {
    const count = starts[number + 1] - starts[number];
    if (this.handle.fd < 0) throw new UserError('argument', 'the ratings are closed; read them again');
    const bytes = new Uint8Array(BYTES_PER_RATING * count);
    const { bytesRead } = await this.handle.read(bytes, 0, bytes.length, BYTES_PER_RATING * starts[number]);
    if (bytesRead < bytes.length) throw new Error('the file of ratings was cut off while it was read');
    return {
      users: new Int32Array(bytes.buffer, 0, count),
      items: new Int32Array(bytes.buffer, 4 * count, count),
      ratings: new Float32Array(bytes.buffer, 8 * count, count),
    };
  }

  async close(): Promise<void> {
    abandoned.unregister(this);
    await this.handle.close();
  }
}
