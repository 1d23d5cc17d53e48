import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { mapValues } from '../util/map-values.ts';
import type { Device } from './device-names.ts';
import type { Encoded, Encoding } from './encode.ts';
import { type Parts, tensorOf } from './rows.ts';

/** Tensors as they are sent between threads, without their classes. */
export type NamedParts = Readonly<Record<string, Parts>>;

/** The outputs that a run wants, and how each is written. */
export type Encodings = Readonly<Record<string, Encoding>>;

export type NamedEncoded = Readonly<Record<string, Encoded>>;

/** The results of a run: tensors, or the outputs that it wanted written. */
export type Results = NamedParts | NamedEncoded;

export const partsOf = (tensors: InferenceSession.OnnxValueMapType): NamedParts =>
  mapValues(tensors, (value) => {
    const { type, dims, data } = value as Tensor;
    // A message would contain the whole buffer of a view, so a view is copied.
    const whole = !ArrayBuffer.isView(data) || data.byteLength === data.buffer.byteLength;
    return { type, dims, data: whole ? data : data.slice() };
  });

export const tensorsOf = (parts: NamedParts): Record<string, Tensor> => mapValues(parts, tensorOf);

export interface ThreadData {
  readonly device: Device;
}

/** A call of a method of a thread; see `worker-thread.ts`. */
export interface Call {
  readonly call: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A thread's answer to the call with that number. Its first message, before any call, is `ready`. */
export type Answer =
  | { readonly ready: { readonly name: string; readonly version: string } }
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: string };

export type Signature = Pick<
  InferenceSession,
  'inputNames' | 'outputNames' | 'inputMetadata' | 'outputMetadata'
>;

/** The buffers of numbers and bytes, which a message can transfer instead of copying them. */
export function buffersOf(results: Results): ArrayBuffer[] {
  const buffers = Object.values<Parts | Encoded>(results).flatMap((result) => {
    const data = 'content' in result ? result.content : result.data;
    return ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer ? [data.buffer] : [];
  });
  return [...new Set(buffers)];
}
