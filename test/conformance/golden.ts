import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
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

const GOLDEN = 'golden.json';

/** The paths of the `.onnx` files in a folder and its folders, in order. */
export async function modelsIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true }))
    .filter((path) => path.endsWith('.onnx'))
    .map((path) => path.replaceAll(sep, '/'))
    .sort();
}

/** The folder that a file lies in, which names the set. */
export const setOf = (model: string): string => dirname(model);

/** Makes a folder of `.onnx` files a golden set: runs the cases and keeps them with their outputs. */
export async function writeGolden(folder: string, cases: readonly Case[], runtime: OrtModule): Promise<void> {
  const results = await runCases(folder, cases, runtime);
  const golden = results.map((result, place): GoldenCase => {
    if ('error' in result) throw new Error(`${cases[place].model}: ${result.error}`);
    return { ...cases[place], outputs: result.outputs };
  });
  await writeFile(join(folder, GOLDEN), JSON.stringify(golden));
}

export async function readGolden(folder: string): Promise<GoldenCase[]> {
  return JSON.parse(await readFile(join(folder, GOLDEN), 'utf8'));
}

/** Runs cases by one of ONNX Runtime's npm packages. */
export async function runCases(
  folder: string,
  cases: readonly Case[],
  { InferenceSession, Tensor }: OrtModule,
): Promise<Result[]> {
  const sessions = new Map<string, Promise<InferenceSession>>();
  const results: Result[] = [];
  for (const { model, inputs } of cases) {
    if (!sessions.has(model)) {
      sessions.set(
        model,
        readFile(join(folder, model)).then((bytes) => InferenceSession.create(bytes)),
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
