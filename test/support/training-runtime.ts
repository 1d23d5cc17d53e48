import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type * as Ort from 'onnxruntime-common';

/** The same module that the engine loads, which is not among the package's exports. */
export async function loadTrainingRuntime(): Promise<typeof Ort> {
  const exported = pathToFileURL(createRequire(import.meta.url).resolve('onnxruntime-training'));
  const runtime = await import(new URL('ort.training.wasm.min.mjs', exported).href);
  Object.assign(runtime.env.wasm, { numThreads: 1 });
  return runtime;
}
