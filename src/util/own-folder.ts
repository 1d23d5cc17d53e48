import { createHash } from 'node:crypto';
import { constants, createReadStream, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { UserError } from '../errors.ts';
import { atExit } from './at-exit.ts';
import { checkWritable, codeOf, makeFile, placeOf, readRegular, syncDirectory } from './files.ts';
import { Lock } from './lock.ts';

// Windows has no such flag.
const { O_WRONLY, O_CREAT, O_NOFOLLOW = 0 } = constants;

/** Folder in a folder of ours, with its mark, its lock, and what is not finished. */
export const HIDDEN = '.cofactor';

/** A new set of files that is complete, and moves to its place. */
export const PENDING = 'pending';
const LOCK = 'lock';
/** What a writer that was killed may have left, and the next one removes. */
const UNFINISHED = /^(incoming|rows|.*\.cofactor-(lock|incoming))$/;

/** What a list says of files, by name. */
export type Listed = Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;

export const listedSchema = v.record(v.string(), v.object({ bytes: v.number(), sha256: v.string() }));

/** The content of a new file: its bytes, or what writes them. */
export type Content = Uint8Array | ((file: FileHandle, path: string) => Promise<void>);

/** Lists files, sorted by name. */
export const listOf = (files: Readonly<Record<string, Uint8Array>>): Listed =>
  Object.fromEntries(
    Object.keys(files)
      .sort()
      .map((name) => [
        name,
        { bytes: files[name].length, sha256: createHash('sha256').update(files[name]).digest('hex') },
      ]),
  );

/** Lists files in a folder, sorted by name. */
async function listIn(folder: string, names: readonly string[]): Promise<Listed> {
  const files = names.toSorted().map(async (name) => {
    const path = join(folder, name);
    return [name, { bytes: (await lstat(path)).size, sha256: await hashOf(path) }] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A kind of folder that a command writes. */
export interface FolderKind {
  /** What it holds, such as `model`: the name of its mark. */
  readonly mark: string;
  /** Whether a file with this name may be one of ours. */
  has(name: string): boolean;
  /** The file that lists the others, of a folder whose files are replaced as one. */
  readonly list?: string;
  /** The file without which the others are of no use, for programs that know no list. It leaves first, and comes last. */
  readonly key?: string;
  /** The files that a list names. @throws UserError if it is no list */
  readonly listedIn?: (bytes: Buffer) => Listed;
  /** Bytes that a list may have. */
  readonly mostBytes?: number;
}

/** The list of a folder that has none of its own. */
export const LIST = 'files.json';

/** A kind of folder with these files, and a list of them. */
export const listed = (mark: string, names: readonly string[], key?: string): FolderKind => ({
  mark,
  has: (name) => name === LIST || names.includes(name),
  list: LIST,
  ...(key !== undefined && { key }),
  mostBytes: 10_000,
  listedIn: (bytes) => v.parse(listedSchema, JSON.parse(bytes.toString())),
});

/**
 * A folder that only we write, one process at a time. A mark in it tells that it is ours; in any other folder that is not empty
 * nothing is written. Files of others in it stay as they are.
 */
export class OwnFolder {
  private readonly forget = atExit(() => this.close());

  private readonly kind: FolderKind;

  private constructor(
    readonly directory: string,
    /** The path, with links followed. */
    readonly path: string,
    private readonly held: {
      readonly kind: FolderKind;
      readonly lock: Lock;
      readonly made?: string | undefined;
    },
  ) {
    this.kind = held.kind;
  }

  /**
   * Makes or takes a folder to write in, until `close`.
   *
   * @throws UserError if it holds anything that is not ours, cannot be written, or another process writes in it
   */
  static async open(directory: string, kind: FolderKind): Promise<OwnFolder> {
    if (directory === '') throw new UserError('argument', 'the name of the folder is empty; give one');
    try {
      const path = await placeOf(directory);
      checkNotHidden(directory, path);
      await checkOurs(path, directory, kind);
      await checkWritable(path);
      const made = await mkdir(join(path, HIDDEN), { recursive: true });
      let lock: Lock;
      try {
        lock = Lock.take(join(path, HIDDEN, LOCK), directory);
      } catch (error) {
        removeEmpty(path, made);
        throw error;
      }
      const folder = new OwnFolder(directory, path, { kind, lock, made });
      try {
        await folder.begin();
      } catch (error) {
        folder.close();
        throw error;
      }
      return folder;
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(
        'file',
        `${directory}: cannot be written (${codeOf(error)}); choose another folder`,
      );
    }
  }

  /** Path of a hidden file or folder. */
  hidden(name: string): string {
    return join(this.directory, HIDDEN, name);
  }

  private async begin(): Promise<void> {
    // A link would lead elsewhere.
    const mark = await open(this.hidden(this.kind.mark), O_WRONLY | O_CREAT | O_NOFOLLOW);
    await mark.close();
    this.tidy();
    await this.settle();
    await this.checkFree((await namesOf(this.path)) ?? []);
  }

  /**
   * Replaces all of our files, so that a kill at any moment leaves the old ones or the new ones: they are written and synced to a
   * hidden folder, and its renaming makes them valid. Then they move to their places, the list last. After a kill, readers and the
   * next writer continue from there.
   *
   * @param files by name; one of them is the list
   * @throws UserError if a file of others is in the way, or they cannot be written
   */
  async replace(files: Readonly<Record<string, Content>>): Promise<void> {
    const incoming = this.hidden('incoming');
    this.checkInPlace();
    try {
      await mkdir(incoming);
      const old = lstatSync(join(this.path, this.kind.list as string), { throwIfNoEntry: false });
      const like = old?.isFile() ? old : undefined;
      for (const [name, content] of Object.entries(files)) {
        const path = join(incoming, name);
        const write = (file: FileHandle) =>
          typeof content === 'function' ? content(file, path) : file.writeFile(content);
        await makeFile(path, write, like);
      }
      await syncDirectory(incoming);
      await this.checkFree(Object.keys(files));
      this.checkInPlace();
      await rename(incoming, this.hidden(PENDING));
      await syncDirectory(join(this.path, HIDDEN));
      await this.settle();
      await syncDirectory(dirname(this.path));
    } catch (error) {
      if (this.held.lock.isInPlace) this.tidy();
      if (error instanceof UserError) throw error;
      throw new UserError(
        'file',
        `${this.directory}: the ${this.kind.mark} could not be written (${codeOf(error)})`,
      );
    }
  }

  /** @throws UserError if the folder was moved, or another one is in its place */
  private checkInPlace(): void {
    if (this.held.lock.isInPlace) return;
    throw new UserError(
      'file',
      `${this.directory}: was moved or replaced while cofactor wrote in it, so nothing more is written there; do it again`,
    );
  }

  /** The same for files without a list, which it writes. */
  replaceListed(files: Readonly<Record<string, Content>>): Promise<void> {
    // The last file to be written, when the others are there.
    const list = async (file: FileHandle, path: string): Promise<void> =>
      file.writeFile(`${JSON.stringify(await listIn(dirname(path), Object.keys(files)), null, 2)}\n`);
    return this.replace({ ...files, [LIST]: list });
  }

  /** Moves a complete set of files to its place. */
  private async settle(): Promise<void> {
    const pending = await pendingIn(this.path);
    if (pending === undefined) return rm(this.hidden(PENDING), { recursive: true, force: true });
    const names = await readdir(pending);
    const { list = '', key = '', has } = this.kind;
    if (names.includes(list)) {
      const [was, next] = await Promise.all([this.path, pending].map((path) => listedIn(path, this.kind)));
      await this.checkPending(names, next);
      await this.checkFree(names, next);
      // Files that the new set lacks go first: only the old list names them.
      for (const name of Object.keys(was))
        if (!(name in next) && has(name) && (await isAsListed(this.path, name, was)))
          await rm(join(this.path, name));
      const last = [key, list].filter((name) => names.includes(name));
      if (last.includes(key)) await rm(join(this.path, key), { force: true });
      for (const name of [...names.filter((name) => !last.includes(name)), ...last])
        await rename(join(pending, name), join(this.path, name));
    }
    await rm(pending, { recursive: true, force: true });
    await syncDirectory(this.path);
  }

  /** @throws UserError if a stranger has put something there */
  private async checkPending(names: readonly string[], next: Listed): Promise<void> {
    const { list, has } = this.kind;
    const pending = this.hidden(PENDING);
    for (const name of names)
      if (!has(name) || (name !== list && !(await isAsListed(pending, name, next))))
        throw new UserError(
          'file',
          `${join(pending, name)}: is not what cofactor writes there; remove ${pending}, or choose another folder`,
        );
  }

  /** @throws UserError if a file of others, or one of ours that was changed, has one of these names */
  private async checkFree(names: readonly string[], next: Listed = {}): Promise<void> {
    const [other] = await strangersAmong(names.filter(this.kind.has), this.path, this.kind, next);
    if (other === undefined) return;
    const { mark, list = '' } = this.kind;
    const isKnown = Object.keys(await listedIn(this.path, this.kind)).length > 0;
    throw new UserError(
      'file',
      `${join(this.directory, other)}: is in the way of the new ${mark}, and ${isKnown ? 'is not as the old one had it' : `there is no ${list} of this version that lists it`}; move it, or choose another folder`,
    );
  }

  /** Removes what is not finished. */
  private tidy(): void {
    for (const name of readdirSync(join(this.path, HIDDEN)))
      if (UNFINISHED.test(name)) rmSync(this.hidden(name), { recursive: true, force: true });
  }

  /** Lets others write in the folder. A folder in which nothing was written is as it was before. */
  close(): void {
    this.forget();
    try {
      // Another folder may be in its place.
      if (!this.held.lock.isInPlace) return;
      this.tidy();
      if (this.isEmpty()) rmSync(this.hidden(this.kind.mark), { force: true });
    } catch {
      // The next writer removes it.
    } finally {
      this.held.lock.release();
    }
    removeEmpty(this.path, this.held.made);
  }

  private isEmpty(): boolean {
    const hidden = readdirSync(join(this.path, HIDDEN)).filter(
      (name) => ![this.kind.mark, LOCK].includes(name),
    );
    return hidden.length === 0 && readdirSync(this.path).length === 1;
  }
}

/** Removes the hidden folder in a folder, and those above it that were made for it, as long as they are empty. */
function removeEmpty(path: string, made?: string): void {
  try {
    for (let folder = join(path, HIDDEN); ; folder = dirname(folder)) {
      rmdirSync(folder);
      if (made === undefined || folder === made) return;
    }
  } catch {
    // One is not empty.
  }
}

/** The folder of a complete set of files that moves to its place; undefined if there is none. Only a writer makes it, so it is no link. */
export async function pendingIn(directory: string): Promise<string | undefined> {
  const path = join(directory, HIDDEN, PENDING);
  for (const folder of [join(directory, HIDDEN), path])
    if (!(await lstat(folder).catch(() => undefined))?.isDirectory()) return undefined;
  return path;
}

/** @throws UserError for a place in a hidden folder of ours, where the next writer removes what it finds */
export function checkNotHidden(path: string, place: string): void {
  if (place.split(sep).includes(HIDDEN))
    throw new UserError(
      'argument',
      `${path}: is in ${HIDDEN}, where cofactor keeps what is not finished; choose another place`,
    );
}

/** @returns the names in a folder but the hidden one; undefined if there is no such folder */
async function namesOf(path: string, directory = path): Promise<string[] | undefined> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    if (error.code === 'ENOTDIR') throw new UserError('file', `${directory}: is a file; give a folder`);
    throw new UserError('file', `${directory}: cannot be read (${error.code})`);
  });
  return names?.filter((name) => name !== HIDDEN);
}

/** @throws UserError if a folder has neither our mark nor only files that our list knows */
async function checkOurs(path: string, directory: string, kind: FolderKind): Promise<void> {
  const names = (await namesOf(path, directory)) ?? [];
  const hidden = join(path, HIDDEN);
  const information = lstatSync(hidden, { throwIfNoEntry: false });
  if (information && !information.isDirectory())
    throw new UserError(
      'file',
      `${join(directory, HIDDEN)}: is no folder; remove it, or choose another folder`,
    );
  const inside = information ? readdirSync(hidden) : [];
  if (inside.includes(kind.mark)) return;
  const others = [
    ...names.filter((name) => !kind.has(name)),
    ...inside.filter((name) => name !== LOCK).map((name) => join(HIDDEN, name)),
    ...(await strangersAmong(names, path, kind)),
  ];
  if (others.length > 0)
    throw new UserError(
      'file',
      `${directory}: has other files than those of a ${kind.mark}, such as ${others[0]}, and no ${join(HIDDEN, kind.mark)}, which marks a folder of cofactor; move them, or choose a new or an empty folder`,
    );
}

/** Those of these files that are there, and that neither the list nor `next` knows by name and content. */
async function strangersAmong(
  names: readonly string[],
  path: string,
  kind: FolderKind,
  next: Listed = {},
): Promise<string[]> {
  const was = await listedIn(path, kind);
  const others: string[] = [];
  for (const name of names) {
    if (name === kind.list && Object.keys(was).length > 0) continue;
    if (!lstatSync(join(path, name), { throwIfNoEntry: false })) continue;
    if (!(await isAsListed(path, name, was)) && !(await isAsListed(path, name, next))) others.push(name);
  }
  return others;
}

/** What the list in a folder names; nothing if there is none, or it is broken. */
async function listedIn(path: string, { list, listedIn, mostBytes = 0 }: FolderKind): Promise<Listed> {
  try {
    return listedIn?.(await readRegular(join(path, list as string), { most: mostBytes })) ?? {};
  } catch {
    return {};
  }
}

/** Whether a file has the content that a list says. */
export async function isAsListed(folder: string, name: string, listed: Listed): Promise<boolean> {
  const path = join(folder, name);
  const information = await lstat(path).catch(() => undefined);
  if (!Object.hasOwn(listed, name) || !information?.isFile() || information.size !== listed[name].bytes)
    return false;
  return hashOf(path).then(
    (hash) => hash === listed[name].sha256,
    () => false,
  );
}
