import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import { readManifest } from '../artifact/artifact.ts';
import { isOfModel, MANIFEST } from '../artifact/manifest.ts';
import { checkNotInSite } from '../artifact/site.ts';
import { withLazyDatabase } from '../data/read/duckdb.ts';
import { findFiles, INPUT_NAME, STANDARD_INPUT } from '../data/read/files.ts';
import { UserError } from '../errors.ts';
import { checkReplaceable, placeOf, readRegular } from '../util/files.ts';
import { identityOf } from '../util/identity.ts';
import { checkNotHidden } from '../util/own-folder.ts';
import { flagOf } from './flag-names.ts';

/** What a command writes, by the name of the option. */
export interface Outputs {
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly folders?: Readonly<Record<string, string | undefined>>;
}

/**
 * Checks, before the work starts, that a command writes nothing over what it reads. Its inputs are its arguments, and all options
 * that take a file or a folder and are no outputs.
 *
 * @throws UserError if it would, or if a file cannot be written
 */
export async function checkOutputs(command: Command, { files = {}, folders = {} }: Outputs): Promise<void> {
  // An empty name is refused where it is used.
  const given = (paths: Readonly<Record<string, string | undefined>>) =>
    Object.entries(paths).flatMap(([name, path]) => (path ? [[flagOf(name), path] as const] : []));
  const read = await inputsOf(command, [...Object.keys(files), ...Object.keys(folders)]);
  const taken = new Map<string, string>();
  for (const [flag, path] of given(folders)) {
    const place = await placeOf(path);
    checkNotHidden(path, place);
    await checkNotInSite(path, place);
    taken.set(place, flag);
    const inside = read.find((input) => isInside(input.place, place));
    if (inside)
      throw new UserError(
        'argument',
        `${path}: has ${inside.path} in it, which is read; give ${flag} another folder`,
      );
  }
  for (const [flag, path] of given(files)) {
    const place = await checkReplaceable(path);
    const other = taken.get(place);
    if (other)
      throw new UserError(
        'argument',
        `${path}: is given for ${other} and for ${flag}; give one of them another`,
      );
    taken.set(place, flag);
    const identity = identityIfAny(place);
    const same = read.find((input) => input.place === place || (identity && input.identity === identity));
    if (same)
      throw new UserError(
        'argument',
        `${path}: is ${same.path === path ? 'read' : `${same.path === STANDARD_INPUT ? INPUT_NAME : same.path}, which is read`}, and would be lost; give ${flag} another file`,
      );
    await checkNoModel(path, place, flag, taken);
  }
}

/**
 * Checks a file whose name is the default, or comes from a config file: nobody said that it may be replaced.
 *
 * @param mark what a file of ours has in its first bytes
 * @throws UserError if it is there and none of ours
 */
export async function checkDefault(path: string, mark: string, flag: string): Promise<void> {
  const first = await readRegular(path, { most: 1000, links: true }).catch(() => Buffer.alloc(0));
  if (first.length > 0 && !first.includes(mark))
    throw new UserError(
      'file',
      `${path}: is there, and cofactor did not make it; move it, or give ${flag} a name`,
    );
}

/** @throws UserError for a file of a model, which only its training writes */
async function checkNoModel(path: string, place: string, flag: string, taken: ReadonlyMap<string, string>) {
  const folder = dirname(place);
  const isOfThis = isOfModel(basename(place)) && taken.has(folder);
  const ofModel = isOfModel(basename(place)) && (await filesOfModel(folder)).includes(place);
  checkNotHidden(path, place);
  await checkNotInSite(path, place);
  if (isOfThis || ofModel)
    throw new UserError(
      'argument',
      `${path}: is a file of the model in that folder; give ${flag} another file`,
    );
}

interface Input {
  readonly path: string;
  /** With links followed. */
  readonly place: string;
  /** Device and inode. */
  readonly identity?: string | undefined;
}

async function inputsOf(command: Command, outputs: readonly string[]): Promise<Input[]> {
  const ofArguments = command.registeredArguments.map((argument, index) => ({
    isModel: argument.name() === 'folder',
    value: command.processedArgs[index],
  }));
  const ofOptions = command.options
    .filter(({ flags }) => /[<[](file|folder)\b/.test(flags))
    .map((option) => ({ name: option.attributeName(), value: command.opts()[option.attributeName()] }))
    .filter(({ name }) => !outputs.includes(name))
    .map(({ value }) => ({ isModel: false, value }));
  const found = await Promise.all(
    [...ofArguments, ...ofOptions].map(async ({ isModel, value }) => {
      const paths = [value].flat().filter((path) => typeof path === 'string');
      return isModel ? (await Promise.all(paths.map(filesOfModel))).flat() : filesAt(paths);
    }),
  );
  return Promise.all(
    found.flat().map(async (path) => ({
      path,
      place: await realpath(path).catch(() => resolve(path)),
      // Standard input may be a file.
      identity: identityIfAny(path === STANDARD_INPUT ? 0 : path),
    })),
  );
}

/** Files of patterns and folders, and standard input. What cannot be found is left to whoever reads it. */
async function filesAt(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      path === STANDARD_INPUT
        ? [path]
        : withLazyDatabase((connect) => findFiles(connect, [path])).catch(() => []),
    ),
  );
  return found.flat();
}

async function filesOfModel(folder: string): Promise<string[]> {
  const manifest = await readManifest(folder, { trust: true }).catch(() => undefined);
  return [MANIFEST, ...Object.keys(manifest?.files ?? {})].map((name) => join(folder, name));
}

/** What cannot be looked at is left to whoever reads it. */
function identityIfAny(file: string | number): string | undefined {
  try {
    return identityOf(file);
  } catch {
    return undefined;
  }
}

function isInside(place: string, folder: string): boolean {
  const way = relative(folder, place);
  return way !== '' && way.split(sep)[0] !== '..';
}
