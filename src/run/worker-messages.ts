import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { mapValues } from '../util/map-values.ts';
import type { Device } from './device-names.ts';
import { type Parts, tensorOf } from './rows.ts';

/** What of tensors goes from thread to thread, where classes do not. */
export type NamedParts = Readonly<Record<string, Parts>>;

export const partsOf = (tensors: InferenceSession.OnnxValueMapType): NamedParts =>
  mapValues(tensors, (value) => {
    const { type, dims, data } = value as Tensor;
    // A message carries the whole buffer that an array is a view of.
    const whole = !ArrayBuffer.isView(data) || data.byteLength === data.buffer.byteLength;
    return { type, dims, data: whole ? data : data.slice() };
  });

export const tensorsOf = (parts: NamedParts): Record<string, Tensor> => mapValues(parts, tensorOf);

export interface ThreadData {
  readonly device: Device;
}

/** Asks a thread of the pool for one of its methods; see `worker-thread.ts`. */
export interface Call {
  readonly call: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A thread's answer to the call of that number; its first, before any call, says that it is up. */
export type Answer =
  | { readonly ready: { readonly name: string; readonly version: string } }
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: string };

export type Signature = Pick<
  InferenceSession,
  'inputNames' | 'outputNames' | 'inputMetadata' | 'outputMetadata'
>;

/** The memory of numbers among tensors, which a message can hand over instead of copying it. */
export function buffersOf(parts: NamedParts): ArrayBuffer[] {
  const buffers = Object.values(parts).flatMap(({ data }) =>
    ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer ? [data.buffer] : [],
  );
  return [...new Set(buffers)];
}
