import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BusyError } from './errors.ts';
import { LIMITS } from './limits.ts';

const EXTENSION = '.jsonl';

/** How much the files of all models in a folder may take. Other processes may write there, too. */
export class Quota {
  private used = 0;
  private looked = Number.NEGATIVE_INFINITY;

  constructor(private readonly folder: string) {}

  /**
   * @param anew whether to measure the files first
   * @throws BusyError if there is no room for so many bytes
   */
  async take(bytes: number, anew: boolean): Promise<void> {
    const isOld = performance.now() - this.looked >= LIMITS.refreshInterval;
    // Files may have been moved away.
    if (anew || (isOld && this.used + bytes > LIMITS.feedback)) await this.look();
    if (this.used + bytes > LIMITS.feedback)
      throw new BusyError(
        'the folder for feedback is full; move files away from it, or train on them and delete them',
        'disk',
      );
    this.used += bytes;
  }

  private async look(): Promise<void> {
    this.looked = performance.now();
    const models = await readdir(this.folder).catch(() => []);
    const names = await Promise.all(models.map((model) => this.filesOf(model)));
    const sizes = names.flat().map(async (path) => (await stat(path).catch(() => undefined))?.size ?? 0);
    this.used = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  private async filesOf(model: string): Promise<string[]> {
    const names = await readdir(join(this.folder, model)).catch(() => []);
    return names.filter((name) => name.endsWith(EXTENSION)).map((name) => join(this.folder, model, name));
  }
}

interface Waiting {
  readonly lines: Buffer;
  resolve(): void;
  reject(error: Error): void;
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly day: string;
  /** Bytes of whole lines that are on disk. */
  size: number;
}

/**
 * Lines in files of a folder, which only grow. Each process makes files of its own, and a new one when a file is large or a day
 * (UTC) is over.
 */
export class FeedbackFiles {
  private waiting: Waiting[] = [];
  private bytes = 0;
  private work: Promise<void> | undefined;
  private file: OpenFile | undefined;
  private count = 0;

  constructor(
    private readonly folder: string,
    private readonly quota: Quota,
  ) {}

  /**
   * Adds lines, together with all others that wait.
   *
   * @returns a promise that resolves when they are on disk
   * @throws BusyError if they cannot be stored now; then none of them is
   */
  append(text: string): Promise<void> {
    const lines = Buffer.from(text);
    if (this.bytes + lines.length > LIMITS.feedbackWaiting)
      return Promise.reject(new BusyError('too many events wait to be stored; try again later', 'disk'));
    this.bytes += lines.length;
    return new Promise((resolve, reject) => {
      this.waiting.push({ lines, resolve, reject });
      this.work ??= this.store();
    });
  }

  /** Stores what waits, and closes the file. */
  async close(): Promise<void> {
    await this.work;
    await this.end();
  }

  private async store(): Promise<void> {
    while (this.waiting.length > 0) {
      const all = this.waiting.splice(0);
      const lines = Buffer.concat(all.map((one) => one.lines));
      try {
        const file = (await this.isThere()) ? this.fileFor(lines.length) : undefined;
        await this.quota.take(lines.length, file === undefined);
        await this.write(lines, file ?? (await this.nextFile()));
        for (const { resolve } of all) resolve();
      } catch (error) {
        const { code = 'unknown error' } = error as NodeJS.ErrnoException;
        const busy =
          error instanceof BusyError
            ? error
            : new BusyError(`the feedback cannot be stored (${code}); try again later`, 'disk');
        for (const { reject } of all) reject(busy);
      }
      this.bytes -= lines.length;
    }
    this.work = undefined;
  }

  private async write(lines: Buffer, file: OpenFile): Promise<void> {
    try {
      let written = 0;
      while (written < lines.length) {
        const part = lines.subarray(written);
        written += (await file.handle.write(part, 0, part.length, null)).bytesWritten;
      }
      await file.handle.datasync();
      file.size += lines.length;
    } catch (error) {
      // What reads the file would stumble over a part of a line. But others may have added lines.
      const rest = Buffer.alloc(lines.length + 1);
      const { bytesRead } = await file.handle
        .read(rest, 0, rest.length, file.size)
        .catch(() => ({ bytesRead: rest.length }));
      const isOurs = lines.subarray(0, bytesRead).equals(rest.subarray(0, bytesRead));
      if (isOurs) await file.handle.truncate(file.size).catch(() => this.end());
      else await this.end();
      throw error;
    }
  }

  /** Whether the file is as it was: it may have been moved, deleted, written by others, or linked to by a backup. */
  private async isThere(): Promise<boolean> {
    if (!this.file) return false;
    const [own, named] = await Promise.all([
      this.file.handle.stat(),
      stat(this.file.path).catch(() => undefined),
    ]);
    const { size } = this.file;
    return own.ino === named?.ino && own.dev === named.dev && own.size === size && own.nlink === 1;
  }

  /** The file, if it has room for so many bytes. */
  private fileFor(bytes: number): OpenFile | undefined {
    const { file } = this;
    const fits = file && (file.size === 0 || file.size + bytes <= LIMITS.feedbackFile);
    return fits && file.day === dayOf(new Date()) ? file : undefined;
  }

  /** Makes a file with a name of its own, which has the time, so that names are in its order. */
  private async nextFile(): Promise<OpenFile> {
    await this.end();
    const made = await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const now = new Date();
    const time = now.toISOString().slice(0, 19).replaceAll(':', '');
    for (;;) {
      const path = join(this.folder, `${time}Z-${process.pid}-${++this.count}${EXTENSION}`);
      try {
        this.file = { handle: await open(path, 'ax+', 0o600), path, day: dayOf(now), size: 0 };
        await keepNames(this.folder, made === undefined ? this.folder : dirname(made));
        return this.file;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  private async end(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    const { size } = (await file?.handle.stat().catch(() => undefined)) ?? {};
    await file?.handle.close().catch(() => undefined);
    // Nothing could be stored in it.
    if (file?.size === 0 && size === 0) await rm(file.path, { force: true }).catch(() => undefined);
  }
}

/** In UTC. */
const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

/** Names of new files and folders are on disk only when their folders are: from one up to another. Windows does not open folders. */
async function keepNames(from: string, to: string): Promise<void> {
  const folder = await open(from).catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
  if (from !== to && from !== dirname(from)) await keepNames(dirname(from), to);
}
