import { existsSync, lstatSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';
import { Lock } from './lock.ts';

const PREFIX = 'cofactor-scratch-';
const LOCK = 'lock';

/** A temporary folder, which goes with its process: by itself when that ends, or by the next one if it is killed. */
export class ScratchFolder {
  readonly path: string;
  private readonly lock: Lock;
  private readonly forget: () => void;

  /** @throws an error of the system if nothing can be made in `parent` */
  constructor(parent: string) {
    sweep(parent);
    [this.path, this.lock] = newFolder(parent);
    this.forget = atExit(() => this.remove());
  }

  remove(): void {
    this.forget();
    // It may be in a folder that is removed.
    if (!existsSync(this.path)) {
      this.lock.release();
      return;
    }
    // The lock goes last, so that what a kill leaves is removed.
    for (const name of readdirSync(this.path))
      if (name !== LOCK) rmSync(join(this.path, name), { recursive: true, force: true });
    this.lock.release();
    rmdirSync(this.path);
  }
}

function newFolder(parent: string): [string, Lock] {
  for (let tries = 1; ; tries++) {
    const path = mkdtempSync(join(parent, PREFIX));
    try {
      return [path, Lock.take(join(path, LOCK), path)];
    } catch (error) {
      // Another process takes it for one that was left, until it is locked.
      if (tries === 10) {
        rmSync(path, { recursive: true, force: true });
        throw error;
      }
    }
  }
}

/** A folder may be written by those who may not list it. */
function namesIn(parent: string): string[] {
  try {
    return readdirSync(parent);
  } catch {
    return [];
  }
}

/** Removes folders of processes that were killed. */
function sweep(parent: string): void {
  for (const name of namesIn(parent)) {
    const path = join(parent, name);
    try {
      if (!name.startsWith(PREFIX) || lstatSync(path).uid !== process.getuid?.()) continue;
      if (readdirSync(path).length === 0) rmdirSync(path);
      else if (lstatSync(join(path, LOCK)).isFile()) {
        const lock = Lock.take(join(path, LOCK), path);
        rmSync(path, { recursive: true, force: true });
        lock.release();
      }
    } catch {
      // It is in use.
    }
  }
}
