import { fstatSync, statSync } from 'node:fs';

/** Device and inode of a path, with links followed, or of an open file: the same for all names of a file. Undefined if there is none. */
export function identityOf(file: string | number): string | undefined {
  const information =
    typeof file === 'number'
      ? fstatSync(file, { bigint: true })
      : statSync(file, { bigint: true, throwIfNoEntry: false });
  return information && `${information.dev} ${information.ino}`;
}
