import { parentPort, workerData } from 'node:worker_threads';
import { env, type InferenceSession } from 'onnxruntime-common';
import { mapValues } from '../util/map-values.ts';
import { encoded, inBytes } from './encode.ts';
import { runtimeOn } from './node.ts';
import type {
  Answer,
  Call,
  Encodings,
  NamedEncoded,
  NamedParts,
  Results,
  Signature,
  ThreadData,
} from './worker-messages.ts';
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
  /** Runs, and writes the outputs that are wanted. */
  async runEncoded(id: number, feeds: NamedParts, encodings: Encodings): Promise<NamedEncoded> {
    const results = await methods.run(id, feeds);
    return mapValues(encodings, (encoding, name) => inBytes(encoded(results[name], encoding)));
  },
  async release(id: number): Promise<void> {
    const session = sessionOf(id);
    sessions.delete(id);
    held.delete(id);
    await session.release();
  },
};

export type Methods = typeof methods;

/** Methods that return results of a run, whose buffers are transferred: nothing else uses them. */
const OF_RESULTS: ReadonlySet<string> = new Set(['run', 'runEncoded']);

const post = (message: Answer, handedOver?: ArrayBuffer[]) => parentPort?.postMessage(message, handedOver);

parentPort?.on('message', ({ call, method, args }: Call) => {
  const answer = methods[method as keyof Methods] as (...args: readonly unknown[]) => Promise<unknown>;
  answer(...args).then(
    (value) => post({ call, value }, OF_RESULTS.has(method) ? buffersOf(value as Results) : []),
    (error: Error) => post({ call, error: error.message }),
  );
});
post({ ready: { name: runtime.name, version: runtime.version } });
