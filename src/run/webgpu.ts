import type { InferenceSession } from 'onnxruntime-common';
import { UserError } from '../errors.ts';
import type { Runtime } from './runtime.ts';
import type { WebRuntimeOptions } from './web.ts';

/**
 * ONNX Runtime in a page, on the graphics processor. What it has no operators for, ids above all, stays on the CPU, and
 * to go there and back takes milliseconds: it is for large catalogues and for many users at once. It is fetched at the
 * first call (27 MB, 6 MB compressed).
 *
 * @throws UserError if the browser offers no WebGPU
 */
export async function webGpuRuntime({ wasmPaths }: WebRuntimeOptions = {}): Promise<Runtime> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  if (!(await gpu?.requestAdapter()))
    throw new UserError('this browser offers no WebGPU; use webRuntime, which runs everywhere');
  const { env, InferenceSession } = await import('onnxruntime-web/webgpu');
  env.wasm.numThreads = 1;
  if (wasmPaths !== undefined) env.wasm.wasmPaths = wasmPaths;
  // This build takes one call at a time, whatever the session.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const result = last.then(call, call);
    last = result;
    return result;
  };
  return {
    name: 'onnxruntime-web WebGPU',
    version: env.versions.web ?? env.versions.common,
    createSession: (model) =>
      inTurn(async () => {
        const session = await InferenceSession.create(model, { executionProviders: ['webgpu'] });
        const run = session.run.bind(session) as InferenceSession['run'];
        session.run = ((...call: Parameters<typeof run>) => inTurn(() => run(...call))) as typeof run;
        return session;
      }),
  };
}
