import type { InferenceSession } from 'onnxruntime-common';

/** Runs ONNX files. All that needs one takes it as this interface, so that the same code serves Node and a page. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** What it computes on; the CPU when absent. */
  readonly device?: string;
  /**
   * @param model the bytes of an `.onnx` file
   * @param threads intra-op threads; the runtime's own choice when absent. Training needs 1.
   * @param batch the most rows in one run, where a runtime joins runs
   */
  createSession(model: Uint8Array, options?: { threads?: number; batch?: number }): Promise<InferenceSession>;
}
