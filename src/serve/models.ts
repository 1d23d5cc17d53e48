import { lstat, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readArtifact, readManifest } from '../artifact/artifact.ts';
import { type Artifact, MANIFEST } from '../artifact/manifest.ts';
import type { Runtime } from '../run/runtime.ts';
import { HIDDEN, PENDING } from '../util/own-folder.ts';
import { HttpError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { ProcessMemory } from './memory.ts';
import { isPassing, type OpenModel, openModel } from './open-model.ts';

/** The heads that clients can run. `seen` is only used by `recommend`. */
export const HEADS = ['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many'];

export interface Opener {
  readonly runtime: Runtime;
  /** Tries a new artifact in another process. @returns the manifest of the artifact that it tried */
  tryOut(directory: string): Promise<string>;
  /** What the models of the server take. */
  readonly memory?: ProcessMemory | undefined;
  /** Leaves out the checks of what a stranger could have made, and the trial at the start. @default false */
  readonly trust?: boolean | undefined;
}

/** An artifact that is not served, and why. */
export interface Refused {
  readonly reason: string;
  readonly since: Date;
  /** How often it was tried. */
  readonly tries: number;
  /** When it is tried again, unless it changes before. */
  readonly next: Date;
  /** The same by a clock that no one sets. */
  readonly due: number;
}

/** A folder that is served: its current artifact, and later ones. */
export class ServedModel {
  /** When the current artifact was loaded. */
  since = new Date();
  /** When that artifact was written, by the clock of the disk. */
  written: Date | undefined;
  /** The artifact in the folder, if it is not served. */
  refused: Refused | undefined;
  /** For each version a promise that resolves when all its requests have been answered. */
  private readonly answered = new WeakMap<OpenModel, Promise<void>>();

  private constructor(
    readonly directory: string,
    private readonly opener: Opener,
    private model: OpenModel,
    private stamp: string,
  ) {}

  /** @throws UserError if there is no artifact, or if it is broken */
  static async open(directory: string, opener: Opener): Promise<ServedModel> {
    const stamp = await stampOf(directory);
    const name = basename(resolve(directory));
    opener.memory?.check(name, await readManifest(directory, opener));
    const artifact = await tried(directory, opener);
    const model = await openModel(artifact, { ...opener, name, version: 1 });
    opener.memory?.add(name, artifact.manifest);
    const served = new ServedModel(directory, opener, model, stamp);
    served.written = await writtenAt(directory);
    return served;
  }

  get name(): string {
    return this.model.name;
  }

  get current(): OpenModel {
    return this.model;
  }

  /** Runs a request on the current version, which stays loaded until it has answered, even if there is a newer one. */
  async ask<T>(question: (model: OpenModel) => Promise<T>): Promise<T> {
    const { model } = this;
    const answer = question(model);
    const all = Promise.allSettled([this.answered.get(model), answer]);
    this.answered.set(
      model,
      all.then(() => undefined),
    );
    return answer;
  }

  /**
   * Checks whether the folder has changed. If it has another complete artifact, loads that. What is refused is tried again after
   * some time, because the reason may pass: missing memory, a wrong permission, a process that was killed.
   *
   * @returns 'taken', or the reason why a new artifact is refused; undefined if there is no new one
   */
  async refresh(): Promise<'taken' | { readonly refused: string } | undefined> {
    // Before the files are read, so that a change during reading is noticed the next time.
    const stamp = await stampOf(this.directory);
    const isDue = this.refused !== undefined && performance.now() >= this.refused.due;
    if (stamp === this.stamp && !isDue) return;
    const isSame = stamp === this.stamp;
    try {
      // It has the hash of every file, so it identifies the artifact.
      const found = await readManifest(this.directory, this.opener);
      const manifest = JSON.stringify(found);
      const isOther = manifest !== JSON.stringify(this.model.recommender.artifact.manifest);
      if (isOther) this.opener.memory?.check(this.name, found);
      // The artifact may have changed meanwhile; then it is checked again the next time.
      if (isOther && (await this.opener.tryOut(this.directory)) !== manifest) return undefined;
      const artifact = await readArtifact(this.directory, this.opener);
      if (JSON.stringify(artifact.manifest) !== manifest) return undefined;
      if (isOther) await this.switchTo(artifact);
      this.refused = undefined;
      this.stamp = stamp;
      return isOther ? 'taken' : undefined;
    } catch (error) {
      if (isPassing(error)) return undefined;
      const { message } = error as Error;
      // Whoever may ask for it need not know where the folder is.
      const reason = message.replaceAll(this.directory, this.name);
      const isKnown = this.refused?.reason === reason;
      this.refused = refusedAgain(reason, isSame ? this.refused : undefined);
      this.stamp = stamp;
      return isKnown ? undefined : { refused: message };
    }
  }

  private async switchTo(artifact: Artifact): Promise<void> {
    const old = this.model;
    this.model = await openModel(artifact, { ...this.opener, name: old.name, version: old.version + 1 });
    this.since = new Date();
    this.written = await writtenAt(this.directory);
    this.opener.memory?.add(old.name, artifact.manifest);
    void Promise.resolve(this.answered.get(old)).then(() => release(old));
  }
}

/** The model with a name; without one the first. @throws HttpError 404 if there is none */
export function modelNamed(models: readonly ServedModel[], name: string | undefined): ServedModel {
  const served = name === undefined ? models[0] : models.find((model) => model.name === name);
  if (served) return served;
  throw new HttpError(
    404,
    `there is no model with that name; the models are ${models.map(({ name }) => name).join(', ')}`,
  );
}

function refusedAgain(reason: string, before: Refused | undefined): Refused {
  const tries = (before?.tries ?? 0) + 1;
  const delay = Math.min(LIMITS.mostRetryDelay, LIMITS.refreshInterval * 2 ** (tries - 1));
  const [next, due] = [new Date(Date.now() + delay), performance.now() + delay];
  return { reason, since: before?.since ?? new Date(), tries, next, due };
}

/** Frees the memory of a version that is not used any more. */
function release({ recommender }: OpenModel): void {
  // It fails if a worker has ended, whose memory is free then.
  recommender.release().catch(() => undefined);
}

const writtenAt = async (directory: string): Promise<Date | undefined> =>
  (await lstat(join(directory, MANIFEST)).catch(() => undefined))?.mtime;

/** A text that changes when anything in a folder changes, except what a training has not finished. */
async function stampOf(directory: string): Promise<string> {
  const names = await readdir(directory).catch(() => []);
  const stamps = names
    .map((name) => (name === HIDDEN ? join(HIDDEN, PENDING) : name))
    .map(async (name) => {
      const { ino, size, mode, mtimeMs, ctimeMs } =
        (await lstat(join(directory, name)).catch(() => undefined)) ?? {};
      return `${name} ${ino} ${size} ${mode} ${mtimeMs} ${ctimeMs}`;
    });
  return (await Promise.all(stamps)).join('\n');
}

/** Reads the artifact in a folder, after it was tried in another process. */
async function tried(directory: string, { tryOut, trust }: Opener): Promise<Artifact> {
  for (;;) {
    const manifest = trust ? undefined : await tryOut(directory);
    const artifact = await readArtifact(directory, { trust });
    // A new artifact may have been written in the meantime.
    if (trust || manifest === JSON.stringify(artifact.manifest)) return artifact;
  }
}
