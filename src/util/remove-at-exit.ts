import { rmSync } from 'node:fs';

/** Removes a folder when the process ends, also by a signal that something else handles. @returns a function that removes it now */
export function removeAtExit(folder: string): () => void {
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return remove;
}
