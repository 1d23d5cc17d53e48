import { parentPort, workerData } from 'node:worker_threads';
import { env, type InferenceSession } from 'onnxruntime-common';
import { runtimeOn } from './node.ts';
import {
  type Answer,
  type Answers,
  type Call,
  partsOf,
  type ThreadData,
  tensorsOf,
} from './worker-messages.ts';

/** One thread of the pool in `worker.ts`: it holds sessions, and answers each call. */
const runtime = await runtimeOn((workerData as ThreadData).device);
// What goes wrong is told to the caller, and not to the terminal.
env.logLevel = 'fatal';
const sessions = new Map<number, InferenceSession>();

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
  if (call.kind === 'run') return partsOf(await session.run(tensorsOf(call.feeds)));
  sessions.delete(call.session);
  await session.release();
}

const post = (message: Answer) => parentPort?.postMessage(message);

parentPort?.on('message', ({ number, call }: { number: number; call: Call }) => {
  answer(call).then(
    (value) => post({ call: number, value }),
    (error: Error) => post({ call: number, error: error.message }),
  );
});
post({ ready: { name: runtime.name, version: runtime.version } });
