import { lstat, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import { CHECKPOINT, readArtifact, readManifest } from '../artifact/artifact.ts';
import { checkHeads } from '../artifact/check-heads.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import type { Runtime } from '../run/runtime.ts';
import { QueueFullError, WorkerError } from '../run/worker.ts';
import { HttpError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { runEmpty, tryOut } from './try-out.ts';

/** The heads that clients can run. `seen` is only used by `recommend`. */
export const HEADS = ['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many'];

/** A version of a model, loaded. */
export interface OpenModel {
  readonly name: string;
  /** Counts from 1. Each new artifact has the next number. */
  readonly version: number;
  readonly recommender: Recommender;
  readonly users: ReadonlySet<string>;
  readonly items: ReadonlySet<string>;
  /** Most bytes of so many ids of different items, as JSON with commas or as binary data. */
  readonly idBytes: (count: number) => number;
  /** Bytes of the longest title as text and as JSON. */
  readonly titleBytes: number;
  /** Sessions by head: `predict`, `recommend`, … */
  readonly sessions: ReadonlyMap<string, InferenceSession>;
}

export interface Opener {
  readonly runtime: Runtime;
  /** Tries a new artifact in another process. @returns the manifest of the artifact that it tried */
  tryOut(directory: string): Promise<string>;
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
}

/** A folder that is served: its current artifact, and later ones. */
export class ServedModel {
  /** When the current artifact was loaded. */
  since = new Date();
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
    const model = await openModel(await tried(directory, opener), { ...opener, name, version: 1 });
    return new ServedModel(directory, opener, model, stamp);
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
    const isDue = this.refused !== undefined && Date.now() >= this.refused.next.getTime();
    if (stamp === this.stamp && !isDue) return;
    const isSame = stamp === this.stamp;
    try {
      // It has the hash of every file, so it identifies the artifact.
      const manifest = JSON.stringify(await readManifest(this.directory, this.opener));
      const isOther = manifest !== JSON.stringify(this.model.recommender.artifact.manifest);
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
  return { reason, since: before?.since ?? new Date(), tries, next: new Date(Date.now() + delay) };
}

/** Frees the memory of a version that is not used any more. */
function release({ recommender }: OpenModel): void {
  // It fails if a worker has ended, whose memory is free then.
  recommender.release().catch(() => undefined);
}

/** A text that changes when anything in a folder changes, except the checkpoint of a training. */
async function stampOf(directory: string): Promise<string> {
  const names = await readdir(directory).catch(() => []);
  const stamps = names
    .filter((name) => !name.startsWith(CHECKPOINT))
    .map(async (name) => {
      const { ino, size, mode, mtimeMs, ctimeMs } =
        (await lstat(join(directory, name)).catch(() => undefined)) ?? {};
      return `${name} ${ino} ${size} ${mode} ${mtimeMs} ${ctimeMs}`;
    });
  return (await Promise.all(stamps)).join('\n');
}

/** Whether an error is temporary, so that the next try may succeed. */
const isPassing = (error: unknown): boolean =>
  error instanceof QueueFullError || error instanceof WorkerError || (error as Error).name === 'AbortError';

/** Reads the artifact in a folder, after it was tried in another process. */
async function tried(directory: string, { tryOut, trust }: Opener): Promise<Artifact> {
  for (;;) {
    const manifest = trust ? undefined : await tryOut(directory);
    const artifact = await readArtifact(directory, { trust });
    // A new artifact may have been written in the meantime.
    if (trust || manifest === JSON.stringify(artifact.manifest)) return artifact;
  }
}

export interface ModelOptions extends Pick<Opener, 'runtime' | 'trust'> {
  readonly name: string;
  readonly version: number;
}

/** Loads a model, and tries each head. @throws UserError if a head is refused, or cannot be loaded or run */
export async function openModel(
  artifact: Artifact,
  { name, version, runtime, trust }: ModelOptions,
): Promise<OpenModel> {
  let recommender: Recommender | undefined;
  try {
    if (!trust) checkHeads(artifact);
    recommender = await Recommender.create(artifact, runtime);
    const sessions = new Map<string, InferenceSession>();
    for (const head of recommender.heads) sessions.set(head, await recommender.session(head));
    const { userIds, itemIds } = readVocabulary(artifact);
    await tryOut(recommender, userIds[0], itemIds[0]);
    if (runtime.device === 'cpu') for (const session of sessions.values()) await runEmpty(session);
    const [users, items] = [new Set(userIds), new Set(itemIds)];
    const titleBytes = [...recommender.titles.values()].reduce(
      (most, title) => Math.max(most, 8 * title.length),
      0,
    );
    return { name, version, recommender, users, items, idBytes: idBytesOf(itemIds), titleBytes, sessions };
  } catch (error) {
    await recommender?.release().catch(() => undefined);
    if (isPassing(error) || error instanceof UserError) throw error;
    throw new UserError(
      'model',
      `${name}: the model cannot be run: ${(error as Error).message}; train it again`,
    );
  }
}

/** Bytes of an id besides its characters: quotes and a comma, or its length. */
const AROUND_ID = 4;

function idBytesOf(ids: readonly string[]): (count: number) => number {
  const lengths = Float64Array.from(
    ids,
    (id) => Buffer.byteLength(JSON.stringify(id)) - 2 + AROUND_ID,
  ).sort();
  const sums = [0];
  for (let count = 1; count <= LIMITS.k; count++)
    sums.push(sums[count - 1] + (lengths[lengths.length - count] ?? AROUND_ID));
  const longest = lengths.at(-1) ?? 0;
  return (count) => sums[count] ?? count * longest;
}
