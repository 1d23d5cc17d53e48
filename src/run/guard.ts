import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { built } from '../util/built.ts';

/** What a process may take from when its guard starts. */
export interface GuardLimits {
  /** Bytes of resident memory. */
  readonly memory: number;
  /** Seconds of all its threads on processors. Unlike time on the clock, they do not depend on what else runs. */
  readonly seconds: number;
}

/** Standard error of a process that its guard ended has this, and the reason. */
const MARK = 'ended by its guard: ';

/** Why a guard ended a process; undefined if it did not. */
export const reasonIn = (log: string): string | undefined => new RegExp(`^${MARK}(.*)$`, 'm').exec(log)?.[1];

export interface GuardData extends GuardLimits {
  readonly mark: string;
}

/**
 * Ends this process when it takes more than it may, or when its parent has ended. A thread watches, because the process may
 * be busy in a library. It watches until the returned function is called.
 */
export async function guarded(limits: GuardLimits): Promise<() => Promise<unknown>> {
  const thread = new Worker(built('guard-thread.js'), {
    workerData: { ...limits, mark: MARK } satisfies GuardData,
  });
  thread.unref();
  await once(thread, 'message');
  return () => thread.terminate();
}
