import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { type Case, type GoldenCase, type OrtModule, runCases } from './cases.ts';

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
  const results = await runCases(reader(folder), cases, runtime);
  const golden = results.map((result, index): GoldenCase => {
    if ('error' in result) throw new Error(`${cases[index].model}: ${result.error}`);
    return { ...cases[index], outputs: result.outputs };
  });
  await writeFile(join(folder, GOLDEN), JSON.stringify(golden));
}

export async function readGolden(folder: string): Promise<GoldenCase[]> {
  return JSON.parse(await readFile(join(folder, GOLDEN), 'utf8'));
}

/** Reads the models of a golden set. */
export const reader =
  (folder: string) =>
  (model: string): Promise<Uint8Array> =>
    readFile(join(folder, model));
