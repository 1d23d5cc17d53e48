import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../../errors.ts';
import type { Engine } from '../engine.ts';
import { INSTALL, MODULE, ortTrainingEngine } from './engine.ts';

export const PACKAGE = 'onnxruntime-training';

/** @throws UserError if the package `onnxruntime-training` is not installed */
export async function ortTraining(): Promise<Engine> {
  const folder = findPackage();
  if (folder === undefined)
    throw new UserError(
      'device',
      `the package ${PACKAGE}, which has ONNX Runtime's training API, is not installed; ${INSTALL}`,
    );
  return ortTrainingEngine(new URL(MODULE, folder).href);
}

/** URL of the folder of its modules: installed beside cofactor, or in the project of the working directory. */
export function findPackage(): URL | undefined {
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), 'any.js'))]) {
    try {
      return new URL('.', pathToFileURL(createRequire(from).resolve(PACKAGE)));
    } catch {
      // It may be in the next one.
    }
  }
  return undefined;
}
