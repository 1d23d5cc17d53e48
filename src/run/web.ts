import type { InferenceSession } from 'onnxruntime-common';
import { UserError } from '../errors.ts';
import type { Runtime } from './runtime.ts';
import { turns } from './turns.ts';

export interface WebRuntimeOptions {
  /**
   * The folder that ONNX Runtime's `.wasm` files are fetched from, as a URL that ends in `/`. Default: the folder of its
   * JavaScript.
   */
  readonly wasmPaths?: string;
}

/**
 * ONNX Runtime in a page or a worker: WebAssembly, in the thread that calls it. It is fetched at the first call (14 MB,
 * 4 MB compressed).
 *
 * @throws UserError if the browser cannot run it
 */
export async function webRuntime({ wasmPaths }: WebRuntimeOptions = {}): Promise<Runtime> {
  if (typeof WebAssembly === 'undefined')
    throw new UserError('device', 'this browser has no WebAssembly, which models run in; use a current one');
  const { env, InferenceSession } = await import('onnxruntime-web/wasm');
  env.wasm.numThreads = 1;
  if (wasmPaths !== undefined) env.wasm.wasmPaths = wasmPaths;
  return {
    name: 'onnxruntime-web',
    version: env.versions.web ?? env.versions.common,
    createSession: (model) =>
      inTurn(async () => {
        const session = await InferenceSession.create(model, { executionProviders: ['wasm'] });
        return oneAtATime(session);
      }),
  };
}

/** Of the whole thread, since all sessions in it share one WebAssembly. */
const inTurn = turns();

function oneAtATime(session: InferenceSession): InferenceSession {
  const run = session.run.bind(session) as InferenceSession['run'];
  const release = session.release.bind(session);
  session.run = ((...call: Parameters<typeof run>) => inTurn(() => run(...call))) as typeof run;
  session.release = () => inTurn(release);
  return session;
}
