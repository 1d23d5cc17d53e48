import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Moment, momentsOf, whyNoMoments } from './moments.ts';
import { Workplace, type Writing } from './writing.ts';

/** What comes before and after a run that nothing disturbs. */
export interface Reference {
  readonly before: Workplace;
  readonly older: Record<string, string>;
  readonly newer: Record<string, string>;
  readonly tree: Record<string, string>;
  readonly moments: readonly Moment[];
  /** Milliseconds. */
  readonly took: number;
  /** Bytes of what it writes. */
  readonly bytes: number;
}

/** @param older whether it replaces an older result */
export async function referenceOf(
  writing: Writing,
  inputs: Workplace,
  { path, older: replaces }: { readonly path: string; readonly older: boolean },
): Promise<Reference> {
  const before = await Workplace.copyOf(inputs, join(path, 'before'));
  if (replaces && writing.older) await before.finish(writing.older);
  const older = await before.results(writing);
  const after = await Workplace.copyOf(before, join(path, 'after'));
  const started = performance.now();
  let moments: Moment[] = [];
  if (whyNoMoments() === undefined) moments = await momentsOf(after, writing.args);
  else await after.finish(writing.args);
  const took = performance.now() - started;
  const [newer, tree] = [await after.results(writing), treeFor(writing, await after.tree())];
  const bytes = (await sizeOf(after.path)) - (await sizeOf(inputs.path));
  return { before, older, newer, tree, moments, took, bytes };
}

/** What is alike after all runs that nothing disturbs: not the number of a version, nor how long trials took. */
export const treeFor = ({ outputs }: Writing, tree: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tree).map(([path, what]) => [
      path.replace(/(\/movies\.[\w-]+)\/\d+/, '$1/N'),
      outputs.search && path.startsWith('work/search/') ? 'searched' : what,
    ]),
  );

/** What is not as it should be in a tree. */
export function differences(found: Record<string, string>, expected: Record<string, string>): string[] {
  const paths = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
  return paths.flatMap((path) => {
    if (found[path] === expected[path]) return [];
    return `${path} is ${expected[path] === undefined ? 'left over' : found[path] === undefined ? 'missing' : 'other'}`;
  });
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}
