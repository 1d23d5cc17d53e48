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
  /** Sessions by head: `predict`, `recommend`, … */
  readonly sessions: ReadonlyMap<string, InferenceSession>;
}

export interface Opener {
  readonly runtime: Runtime;
  /** Tries a new artifact in another process. @returns the manifest of the artifact that it tried */
  tryOut(directory: string): Promise<string>;
}

/** A folder that is served: its current artifact, and later ones. */
export class ServedModel {
  private problem = '';
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
    const model = await openModel(await readArtifact(directory), name, 1, opener.runtime);
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
   * Checks whether the folder has changed. If it has another complete artifact, loads that.
   *
   * @returns 'taken', or the reason why a new artifact is refused; undefined if there is no new one
   */
  async refresh(): Promise<'taken' | { readonly refused: string } | undefined> {
    // Before the files are read, so that a change during reading is noticed the next time.
    const stamp = await stampOf(this.directory);
    if (stamp === this.stamp) return;
    try {
      const artifact = await readArtifact(this.directory);
      // The manifest has the hash of every file, so it identifies the artifact.
      const manifest = JSON.stringify(artifact.manifest);
      const isOther = manifest !== JSON.stringify(this.model.recommender.artifact.manifest);
      // The artifact may have changed meanwhile; then it is checked again the next time.
      if (isOther && (await this.opener.tryOut(this.directory)) !== manifest) return undefined;
      if (isOther) await this.switchTo(artifact);
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

  private async switchTo(artifact: Artifact): Promise<void> {
    const old = this.model;
    this.model = await openModel(artifact, old.name, old.version + 1, this.opener.runtime);
    void Promise.resolve(this.answered.get(old)).then(() => release(old));
  }
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
      const { ino, size, mtimeMs } = (await stat(join(directory, name)).catch(() => undefined)) ?? {};
      return `${name} ${ino} ${size} ${mtimeMs}`;
    });
  return (await Promise.all(stamps)).join('\n');
}

/** Whether an error is temporary, so that the next try may succeed. */
const isPassing = (error: unknown): boolean =>
  error instanceof QueueFullError || error instanceof WorkerError || (error as Error).name === 'AbortError';

/** Loads a model, and runs each head once. @throws UserError if a head cannot be loaded or run */
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
      `${name}: the model cannot be run: ${(error as Error).message}; train it again`,
    );
  }
}

/** Runs each head once, because a file may load without an error and still fail to run. */
async function tryOut(recommender: Recommender, user: string, item: string): Promise<void> {
  const heads = new Set(recommender.heads);
  if (recommender.objective === 'ranking') await recommender.score(user, item);
  else await recommender.predict(user, item);
  if (heads.has('recommend')) await recommender.recommend(user, { k: 1 });
  if (heads.has('similar')) await recommender.similar(item, { k: 1 });
  if (heads.has('factors')) await recommender.factors(item);
  const { kind, mean } = recommender.artifact.manifest.data;
  const own = kind === 'ratings' ? [{ item, rating: mean }] : [item];
  if (heads.has('fold-in')) await recommender.foldIn(own, { k: 1 });
  if (heads.has('fold-in-many')) await recommender.foldIn([own], { k: 1 });
}
