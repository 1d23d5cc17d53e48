/** The cases of a golden set, which need nothing of Node. */
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';

/** A tensor as JSON. Floats are written so that they read back exactly. */
export interface JsonTensor {
  readonly type: 'string' | 'int64' | 'float';
  readonly shape: readonly number[];
  readonly data: readonly (string | number)[];
}

export type JsonTensors = Readonly<Record<string, JsonTensor>>;

/** One run of one file: what goes in and, in a golden set, what comes out. */
export interface Case {
  /** The file's path in the golden set's folder. */
  readonly model: string;
  readonly inputs: JsonTensors;
}

export interface GoldenCase extends Case {
  readonly outputs: JsonTensors;
}

export type Result = { readonly outputs: JsonTensors } | { readonly error: string };

/** What a runner prints. */
export interface Report {
  readonly runtime: string;
  readonly version: string;
  /** One for each case, in their order. */
  readonly results: readonly Result[];
}

/** The part of onnxruntime-node and onnxruntime-web that runs a case. */
export interface OrtModule {
  readonly InferenceSession: { create(model: Uint8Array): Promise<InferenceSession> };
  readonly Tensor: TensorConstructor;
}

/** Something that runs `.onnx` files. */
export interface Runtime {
  readonly name: string;
  /** Kinds of sets that it gets wrong, whatever the file, and why. */
  readonly limits?: Readonly<Record<string, string>>;
  /** Fetches what it needs. @throws if that cannot be had here, with the reason */
  fetch(): Promise<unknown>;
  /** Runs a golden set. @throws if it cannot */
  run(folder: string): Promise<Report>;
}

/** Runs cases by one of ONNX Runtime's npm packages, in Node or in a page. */
export async function runCases(
  read: (model: string) => Promise<Uint8Array>,
  cases: readonly Case[],
  { InferenceSession, Tensor }: OrtModule,
): Promise<Result[]> {
  const sessions = new Map<string, Promise<InferenceSession>>();
  const results: Result[] = [];
  for (const { model, inputs } of cases) {
    if (!sessions.has(model)) {
      sessions.set(
        model,
        read(model).then((bytes) => InferenceSession.create(bytes)),
      );
    }
    try {
      const session = await (sessions.get(model) as Promise<InferenceSession>);
      const feeds = Object.entries(inputs).map(([name, tensor]) => [name, decode(tensor, Tensor)]);
      const fetched = await session.run(Object.fromEntries(feeds));
      const outputs = Object.entries(fetched).map(([name, tensor]) => [name, encode(tensor)]);
      results.push({ outputs: Object.fromEntries(outputs) });
    } catch (error) {
      results.push({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  for (const session of await Promise.allSettled(sessions.values()))
    if (session.status === 'fulfilled') await session.value.release();
  return results;
}

function decode({ type, shape, data }: JsonTensor, Tensor: TensorConstructor): Tensor {
  if (type === 'string') return new Tensor('string', data as string[], shape);
  if (type === 'float') return new Tensor('float32', Float32Array.from(data as number[]), shape);
  return new Tensor('int64', BigInt64Array.from((data as number[]).map(BigInt)), shape);
}

function encode({ type, dims, data }: Tensor): JsonTensor {
  switch (type) {
    case 'string':
      return { type, shape: dims, data: data as string[] };
    case 'float32':
      return { type: 'float', shape: dims, data: Array.from(data as Float32Array) };
    case 'int64':
      return { type, shape: dims, data: Array.from(data as BigInt64Array, Number) };
    default:
      throw new Error(`outputs of ${type} are not foreseen`);
  }
}
