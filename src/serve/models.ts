import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import { CHECKPOINT, readArtifact } from '../artifact/artifact.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import type { Runtime } from '../run/runtime.ts';
import { QueueFullError, WorkerError } from '../run/worker.ts';

/** The heads that are served; `seen` is there for `recommend` alone. */
export const HEADS = ['predict', 'recommend', 'similar', 'fold-in'];

/** One version of an artifact, ready to be asked. */
export interface OpenModel {
  readonly name: string;
  /** Counts from 1; each artifact that takes the place of another has the next number. */
  readonly version: number;
  readonly recommender: Recommender;
  readonly users: ReadonlySet<string>;
  readonly items: ReadonlySet<string>;
  /** By head: `predict`, `recommend`, … */
  readonly sessions: ReadonlyMap<string, InferenceSession>;
}

export interface Opener {
  readonly runtime: Runtime;
  /** Asks an artifact that comes later before it is opened here, and gives the manifest of what it asked. */
  tryOut(directory: string): Promise<string>;
}

/** A folder that is served: its artifact, and each that takes its place later. */
export class ServedModel {
  private problem = '';
  /** For each version a promise that all who asked it have an answer. */
  private readonly answered = new WeakMap<OpenModel, Promise<void>>();

  private constructor(
    readonly directory: string,
    private readonly opener: Opener,
    private model: OpenModel,
    private stamp: string,
  ) {}

  /** @throws UserError if there is no artifact, or it is broken. */
  static async open(directory: string, opener: Opener): Promise<ServedModel> {
    const stamp = await stampOf(directory);
    const name = basename(resolve(directory));
    const model = await openModel(await readArtifact(directory), name, 1, opener.runtime);
    return new ServedModel(directory, opener, model, stamp);
  }

  get name(): string {
    return this.model.name;
  }

  get current(): OpenModel {
    return this.model;
  }

  /** Asks the current version, which stays open until it has answered, even if another takes its place. */
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
   * Looks whether the folder has changed, and if it holds another whole artifact, turns to that.
   *
   * @returns whether it did, or why not, if the artifact that came is broken; undefined where there is no other
   */
  async refresh(): Promise<'taken' | { readonly refused: string } | undefined> {
    // Before the files are read, so that what changes meanwhile is seen the next time.
    const stamp = await stampOf(this.directory);
    if (stamp === this.stamp) return;
    try {
      const artifact = await readArtifact(this.directory);
      // The manifest holds the hash of every file.
      const manifest = JSON.stringify(artifact.manifest);
      const isOther = manifest !== JSON.stringify(this.model.recommender.artifact.manifest);
      // Another may have come meanwhile, which is looked at the next time.
      if (isOther && (await this.opener.tryOut(this.directory)) !== manifest) return undefined;
      if (isOther) await this.turnTo(artifact);
      this.problem = '';
      this.stamp = stamp;
      return isOther ? 'taken' : undefined;
    } catch (error) {
      if (isPassing(error)) return undefined;
      const { message } = error as Error;
      const known = message === this.problem;
      this.problem = message;
      this.stamp = stamp;
      return known ? undefined : { refused: message };
    }
  }

  private async turnTo(artifact: Artifact): Promise<void> {
    const old = this.model;
    this.model = await openModel(artifact, old.name, old.version + 1, this.opener.runtime);
    void Promise.resolve(this.answered.get(old)).then(() => release(old));
  }
}

/** Frees the memory of a version that nobody asks any more, whenever that is done. */
function release({ recommender }: OpenModel): void {
  // It fails where a worker has ended, and its memory with it.
  recommender.release().catch(() => undefined);
}

/** Differs when anything in a folder has changed, apart from the state of a training that will write to it. */
async function stampOf(directory: string): Promise<string> {
  const names = await readdir(directory).catch(() => []);
  const stamps = names
    .filter((name) => !name.startsWith(CHECKPOINT))
    .map(async (name) => {
      const { ino, size, mtimeMs } = (await stat(join(directory, name)).catch(() => undefined)) ?? {};
      return `${name} ${ino} ${size} ${mtimeMs}`;
    });
  return (await Promise.all(stamps)).join('\n');
}

/** Whether the same may go well another time. */
const isPassing = (error: unknown): boolean =>
  error instanceof QueueFullError || error instanceof WorkerError || (error as Error).name === 'AbortError';

/** @throws UserError if a head cannot be opened, or does not answer. */
export async function openModel(
  artifact: Artifact,
  name: string,
  version: number,
  runtime: Runtime,
): Promise<OpenModel> {
  let recommender: Recommender | undefined;
  try {
    recommender = await Recommender.create(artifact, runtime);
    const sessions = new Map<string, InferenceSession>();
    for (const head of recommender.heads) sessions.set(head, await recommender.session(head));
    const { userIds, itemIds } = readVocabulary(artifact);
    await tryOut(recommender, userIds[0], itemIds[0]);
    return { name, version, recommender, users: new Set(userIds), items: new Set(itemIds), sessions };
  } catch (error) {
    await recommender?.release().catch(() => undefined);
    if (isPassing(error) || error instanceof UserError) throw error;
    throw new UserError(
      'model',
      `${name}: it cannot be asked: ${(error as Error).message}; train the model again`,
    );
  }
}

/** Asks each head once: a file may be read without an error, and yet answer nothing. */
async function tryOut(recommender: Recommender, user: string, item: string): Promise<void> {
  const heads = new Set(recommender.heads);
  await recommender.predict(user, item);
  if (heads.has('recommend')) await recommender.recommend(user, { k: 1 });
  if (heads.has('similar')) await recommender.similar(item, { k: 1 });
  if (heads.has('factors')) await recommender.factors(item);
  if (heads.has('fold-in'))
    await recommender.foldIn([{ item, rating: recommender.artifact.manifest.data.mean }], { k: 1 });
}
