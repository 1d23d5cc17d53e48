import type { InferenceSession } from 'onnxruntime-common';

/** Tells whether anyone still waits for a run. An AbortSignal is one. */
export type Stop = Pick<AbortSignal, 'aborted' | 'reason' | 'throwIfAborted'>;

/** Executes ONNX models: the common interface of Node and web pages. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** Device that executes models. @default 'cpu' */
  readonly device?: string;
  /**
   * Loads a model.
   *
   * @param model the bytes of an `.onnx` file
   * @param threads number of intra-op threads; training needs 1. Default: the runtime decides
   * @param batch maximum number of rows in one run, for a runtime that joins runs
   */
  createSession(model: Uint8Array, options?: { threads?: number; batch?: number }): Promise<InferenceSession>;
}
