import { parentPort, workerData } from 'node:worker_threads';
import { env, type InferenceSession } from 'onnxruntime-common';
import { mapValues } from '../util/map-values.ts';
import { encoded, inBytes } from './encode.ts';
import { runtimeOn } from './node.ts';
import { sliceRows } from './rows.ts';
import type { Answer, Call, NamedParts, Results, Share, Signature, ThreadData } from './worker-messages.ts';
import { buffersOf, partsOf, tensorsOf } from './worker-messages.ts';

/** A thread of the pool in `worker.ts`: holds sessions and answers calls. */
const runtime = await runtimeOn((workerData as ThreadData).device);
// Errors go to the caller, not to the terminal.
env.logLevel = 'fatal';
const sessions = new Map<number, InferenceSession>();
/** Feeds that every run of a session gets in addition to its own. */
const held = new Map<number, ReturnType<typeof tensorsOf>>();

function sessionOf(id: number): InferenceSession {
  const session = sessions.get(id);
  if (!session) throw new Error(`there is no session ${id}`);
  return session;
}

/** The thread's methods. `id` is the number of a session. */
const methods = {
  async create(id: number, model: Uint8Array): Promise<Signature> {
    // The pool has several threads, so each session needs only one.
    const session = await runtime.createSession(model, { threads: 1 });
    sessions.set(id, session);
    const { inputNames, outputNames, inputMetadata, outputMetadata } = session;
    return { inputNames, outputNames, inputMetadata, outputMetadata };
  },
  async hold(id: number, feeds: NamedParts): Promise<void> {
    sessionOf(id);
    held.set(id, tensorsOf(feeds));
  },
  async run(id: number, feeds: NamedParts): Promise<NamedParts> {
    return partsOf(await sessionOf(id).run({ ...held.get(id), ...tensorsOf(feeds) }));
  },
  /** Runs what several runs are joined to, and gives each its share of the results. */
  async runJoined(id: number, feeds: NamedParts, shares: readonly Share[]): Promise<Results[]> {
    const all = await methods.run(id, feeds);
    let from = 0;
    return shares.map(({ rows, encodings }) => {
      const to = from + (rows ?? 0);
      const own = rows === undefined ? all : mapValues(all, (part) => sliceRows(part, from, to));
      from = to;
      return encodings
        ? mapValues(encodings, (encoding, name) => inBytes(encoded(own[name], encoding)))
        : own;
    });
  },
  async release(id: number): Promise<void> {
    const session = sessionOf(id);
    sessions.delete(id);
    held.delete(id);
    await session.release();
  },
};

export type Methods = typeof methods;

/** A small buffer is copied faster than it is transferred, and joined runs have one for each result. */
const MOST_COPIED = 2 ** 16;

/** Nothing else uses the results of a run, so their buffers can be transferred. */
const ownBuffers: Partial<Record<string, (results: never) => ArrayBuffer[]>> = {
  run: buffersOf,
  runJoined: (results: readonly Results[]) =>
    [...new Set(results.flatMap(buffersOf))].filter(({ byteLength }) => byteLength > MOST_COPIED),
};

const post = (message: Answer, handedOver?: ArrayBuffer[]) => parentPort?.postMessage(message, handedOver);

parentPort?.on('message', ({ call, method, args }: Call) => {
  const answer = methods[method as keyof Methods] as (...args: readonly unknown[]) => Promise<unknown>;
  answer(...args).then(
    (value) => post({ call, value }, ownBuffers[method]?.(value as never)),
    (error: Error) => post({ call, error: error.message }),
  );
});
post({ ready: { name: runtime.name, version: runtime.version } });
