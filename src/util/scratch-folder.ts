import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Lock } from './lock.ts';

const NAME = /^cofactor-[A-Za-z0-9]{6}$/;
const LOCK = 'lock';

/** A folder that was made less than this many milliseconds ago may not have its lock yet. */
const NEW = 60_000;

/** A temporary folder, which goes with its process: by itself when that ends, or by the next one if it is killed. */
export class ScratchFolder {
  readonly path: string;
  private readonly lock: Lock;
  private readonly atExit = (): void => this.remove();

  /** @throws an error of the system if nothing can be made in `parent` */
  constructor(parent: string) {
    sweep(parent);
    this.path = mkdtempSync(join(parent, 'cofactor-'));
    this.lock = Lock.take(join(this.path, LOCK), this.path);
    process.on('exit', this.atExit);
  }

  remove(): void {
    process.off('exit', this.atExit);
    this.lock.release();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Removes folders of processes that were killed. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!NAME.test(name)) continue;
    const path = join(parent, name);
    try {
      const information = lstatSync(join(path, LOCK));
      if (information.uid !== process.getuid?.() || Date.now() - information.mtimeMs < NEW) continue;
      const lock = Lock.take(join(path, LOCK), path);
      rmSync(path, { recursive: true, force: true });
      lock.release();
    } catch {
      // It is in use, or belongs to another user.
    }
  }
}
