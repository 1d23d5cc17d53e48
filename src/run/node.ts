import type { Runtime } from './runtime.ts';

/** ONNX Runtime in Node, on the CPU. Its native library is loaded at the first call. */
export async function nodeRuntime(): Promise<Runtime> {
  const { env, InferenceSession } = await import('onnxruntime-node');
  return {
    name: 'onnxruntime-node',
    version: env.versions.node ?? env.versions.common,
    createSession: (model, { threads } = {}) =>
      InferenceSession.create(model, {
        executionProviders: ['cpu'],
        interOpNumThreads: 1,
        ...(threads && { intraOpNumThreads: threads }),
      }),
  };
}
