import type { InferenceSession } from 'onnxruntime-common';
import { checkHeads } from '../artifact/check-heads.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import type { Runtime } from '../run/runtime.ts';
import { QueueFullError, WorkerError } from '../run/worker.ts';
import { LIMITS } from './limits.ts';
import { runEmpty, tryOut } from './try-out.ts';

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

/** Whether an error is temporary, so that the next try may succeed. */
export const isPassing = (error: unknown): boolean =>
  error instanceof QueueFullError || error instanceof WorkerError || (error as Error).name === 'AbortError';

export interface ModelOptions {
  readonly runtime: Runtime;
  /** Leaves out the checks of what a stranger could have made. @default false */
  readonly trust?: boolean | undefined;
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
    const titleBytes = 8 * longestTitle(recommender);
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

/** @throws UserError if a title is so long that lists with it would be too large */
function longestTitle({ titles }: Recommender): number {
  let longest = 0;
  for (const [item, { length }] of titles) {
    longest = Math.max(longest, length);
    if (length > LIMITS.title)
      throw new UserError(
        'model',
        `the title of the item ${JSON.stringify(item)} has ${length} characters; shorten it to ${LIMITS.title}, and train again`,
      );
  }
  return longest;
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
