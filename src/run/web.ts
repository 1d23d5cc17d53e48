import type { InferenceSession } from 'onnxruntime-common';
import { option, UserError } from '../errors.ts';
import type { Runtime } from './runtime.ts';
import { turns } from './turns.ts';

export interface WebRuntimeOptions {
  /**
   * URL of the folder with ONNX Runtime's `.wasm` files; it ends in `/`. Default: the folder of ONNX Runtime's JavaScript.
   */
  readonly wasmPaths?: string;
}

/**
 * Gives the ONNX Runtime for a page or a worker. It runs as WebAssembly in the calling thread. The first call downloads it
 * (14 MB, 4 MB compressed).
 *
 * @throws UserError if the browser has no WebAssembly
 */
export async function webRuntime({ wasmPaths }: WebRuntimeOptions = {}): Promise<Runtime> {
  if (typeof WebAssembly === 'undefined')
    throw new UserError('device', 'this browser has no WebAssembly, which models need; use a current one');
  const { env, InferenceSession } = await import('onnxruntime-web/wasm');
  env.wasm.numThreads = 1;
  if (wasmPaths !== undefined) env.wasm.wasmPaths = wasmPaths;
  return {
    name: 'onnxruntime-web',
    version: env.versions.web ?? env.versions.common,
    createSession: (model) =>
      inTurn(async () => {
        const session = await InferenceSession.create(model, { executionProviders: ['wasm'] }).catch(
          explained,
        );
        return oneAtATime(session);
      }),
  };
}

/** Tells a runtime that cannot start from a model that it refuses. */
function explained(error: Error): never {
  if (!error.message.startsWith('no available backend')) throw error;
  throw new UserError(
    'device',
    `ONNX Runtime cannot start: ${error.message}; are its .wasm files where ${option('wasmPaths')} says, or beside its JavaScript?`,
  );
}

/** For the whole thread, because all its sessions share one WebAssembly instance. */
const inTurn = turns();

function oneAtATime(session: InferenceSession): InferenceSession {
  const run = session.run.bind(session) as InferenceSession['run'];
  const release = session.release.bind(session);
  session.run = ((...call: Parameters<typeof run>) => inTurn(() => run(...call))) as typeof run;
  session.release = () => inTurn(release);
  return session;
}
