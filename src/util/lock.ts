import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { UserError } from '../errors.ts';
import { atExit } from './at-exit.ts';
import { identityOf } from './identity.ts';

// Windows has no such flag.
const { O_RDWR, O_CREAT, O_NOFOLLOW = 0 } = constants;

/**
 * A lock of the system on a file. It ends with its process, however that ends; a file that a killed process left is locked as if
 * it were new.
 */
export class Lock {
  private readonly forget = atExit(() => this.release());
  private isReleased = false;

  private constructor(
    private readonly path: string,
    private readonly fd: number,
    /** Whether a process that was killed had left the file. */
    readonly wasLeft: boolean,
  ) {}

  /**
   * Locks a file, which it makes.
   *
   * @param what the path that is to be written, for messages
   * @throws UserError if another process, or another call, has the lock; an error of the system if the file cannot be made
   */
  static take(path: string, what: string): Lock {
    for (;;) {
      const fd = opened(path);
      let isHeld = false;
      try {
        if (!isPlain(fd)) throw inTheWay(path);
        if (!tryLock(fd, path)) throw busy(path, what);
        // Who had the lock removes the file, perhaps after it was opened here.
        isHeld = isAt(fd, path);
        if (isHeld) {
          const was = contentOf(fd);
          if (!/^(\d+\n?)*$/.test(was)) throw inTheWay(path);
          const holder = `${process.pid}\n`;
          // It is never empty in between: the next process would not know that the file was left.
          writeSync(fd, holder, 0);
          ftruncateSync(fd, holder.length);
          return new Lock(path, fd, was !== '');
        }
      } catch (error) {
        // A disk that is full has no room for the number either.
        if (isHeld && !(error instanceof UserError)) unlinkSync(path);
        closeSync(fd);
        throw error;
      }
      closeSync(fd);
    }
  }

  /** Whether its file is still where it was. */
  get isInPlace(): boolean {
    return isAt(this.fd, this.path);
  }

  /**
   * Gives the lock back, and removes the file.
   *
   * @param stays whether the file stays, because it tells the next process that something was left
   */
  release(stays = false): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.forget();
    try {
      if (!stays && this.isInPlace) unlinkSync(this.path);
    } catch {
      // The next process that locks it removes it.
    }
    closeSync(this.fd);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o666);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES' || !existsSync(path)) throw error;
    throw new UserError(
      'file',
      `${path}: is the lock of another user; wait for their cofactor, or remove the file if none is running`,
    );
  }
}

/** A lock has the number of a process. */
const MOST_BYTES = 20;

/** Whether it is a file that has no other name, and is as short as a lock. */
function isPlain(fd: number): boolean {
  const information = fstatSync(fd);
  return information.isFile() && information.nlink <= 1 && information.size <= MOST_BYTES;
}

function contentOf(fd: number): string {
  const bytes = Buffer.alloc(MOST_BYTES);
  return bytes.toString('latin1', 0, readSync(fd, bytes, 0, MOST_BYTES, 0));
}

const inTheWay = (path: string): UserError =>
  new UserError('file', `${path}: is in the way, and is no lock of cofactor; move it`);

/** Whether the process with this number runs, and is another one. */
function isRunning(pid: number): boolean {
  try {
    return pid > 0 && pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** By its prebuilt module, because Node has no locks. Deno and Bun cannot load it; there, a lock is held while the process that it names runs. */
function tryLock(fd: number, path: string): boolean {
  if (process.versions.deno || process.versions.bun) return !isRunning(Number(contentOf(fd)));
  const locks: { tryLock(fd: number): boolean } = createRequire(import.meta.url)('fs-native-extensions');
  try {
    return locks.tryLock(fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      'file',
      `${path}: cannot be locked (${code}); choose a folder on another file system`,
    );
  }
}

const isAt = (fd: number, path: string): boolean => identityOf(fd) === identityOf(path);

function busy(path: string, what: string): UserError {
  let process = '';
  try {
    process = /^\d+(?=\n)/.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
  } catch {
    // Windows does not let others read a locked file.
  }
  const by = process === '' ? '' : ` (process ${process})`;
  return new UserError(
    'file',
    `${what}: another cofactor${by} is writing there; wait for its end, or choose another place`,
  );
}
