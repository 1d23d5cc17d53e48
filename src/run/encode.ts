import type { Tensor } from 'onnxruntime-common';
import type { Parts } from './rows.ts';

/** How a tensor is written: its elements as JSON, separated by commas, or as the binary data of the Open Inference Protocol. */
export type Encoding = 'json' | 'binary';

/** A tensor whose elements are written already. JSON is a text where it need not go to another thread. */
export interface Encoded {
  readonly type: Tensor.Type;
  readonly dims: readonly number[];
  readonly content: string | Uint8Array<ArrayBuffer>;
}

export function encoded({ type, dims, data }: Parts, encoding: Encoding): Encoded {
  return { type, dims, content: encoding === 'binary' ? binaryOf(data) : jsonOf(type, data) };
}

/** The same with bytes, which a thread can hand over. */
export function inBytes({ content, ...rest }: Encoded): Encoded {
  return { ...rest, content: typeof content === 'string' ? new TextEncoder().encode(content) : content };
}

/** Elements as JSON. Infinite numbers and NaN become null. */
function jsonOf(type: Tensor.Type, data: Tensor.DataType): string {
  // JSON.stringify does not accept bigints.
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return data.join();
  const elements =
    type === 'bool' ? Array.from(data as Uint8Array, Boolean) : Array.from(data as Float32Array);
  return JSON.stringify(elements).slice(1, -1);
}

/** Elements as little-endian bytes. Each text comes after its length in 4 bytes. */
function binaryOf(data: Tensor.DataType): Uint8Array<ArrayBuffer> {
  if (!Array.isArray(data)) {
    const { buffer, byteOffset, byteLength } = data as Float32Array<ArrayBuffer>;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const texts = (data as string[]).map((text) => Buffer.from(text));
  // Not Buffer.concat, whose bytes may share a pool, which cannot be handed to another thread.
  const bytes = new Uint8Array(texts.reduce((sum, { length }) => sum + 4 + length, 0));
  const lengths = new DataView(bytes.buffer);
  let at = 0;
  for (const text of texts) {
    lengths.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}
