import { parentPort, workerData } from 'node:worker_threads';
import { env, type InferenceSession } from 'onnxruntime-common';
import { runtimeOn } from './node.ts';
import {
  type Answer,
  type Answers,
  buffersOf,
  type Call,
  type NamedParts,
  partsOf,
  type ThreadData,
  tensorsOf,
} from './worker-messages.ts';

/** One thread of the pool in `worker.ts`: it holds sessions, and answers each call. */
const runtime = await runtimeOn((workerData as ThreadData).device);
// What goes wrong is told to the caller, and not to the terminal.
env.logLevel = 'fatal';
const sessions = new Map<number, InferenceSession>();
/** What every run of a session is fed, beside what it is given. */
const held = new Map<number, ReturnType<typeof tensorsOf>>();

async function answer(call: Call): Promise<Answers[keyof Answers]> {
  if (call.kind === 'create') {
    // The threads of the pool are what runs side by side.
    const session = await runtime.createSession(call.model, { threads: 1 });
    sessions.set(call.session, session);
    const { inputNames, outputNames, inputMetadata, outputMetadata } = session;
    return { inputNames, outputNames, inputMetadata, outputMetadata };
  }
  const session = sessions.get(call.session);
  if (!session) throw new Error(`there is no session ${call.session}`);
  if (call.kind === 'run')
    return partsOf(await session.run({ ...held.get(call.session), ...tensorsOf(call.feeds) }));
  if (call.kind === 'hold') {
    held.set(call.session, tensorsOf(call.feeds));
    return undefined;
  }
  sessions.delete(call.session);
  held.delete(call.session);
  await session.release();
}

const post = (message: Answer, handedOver?: ArrayBuffer[]) => parentPort?.postMessage(message, handedOver);

parentPort?.on('message', ({ number, call }: { number: number; call: Call }) => {
  answer(call).then(
    // What a run has made is nobody else's.
    (value) => post({ call: number, value }, call.kind === 'run' ? buffersOf(value as NamedParts) : []),
    (error: Error) => post({ call: number, error: error.message }),
  );
});
post({ ready: { name: runtime.name, version: runtime.version } });
