import { option, UserError } from '../errors.ts';
import { checkModel } from '../onnx/check-model.ts';
import { GraphError } from '../onnx/value.ts';
import { type Artifact, headOf } from './manifest.ts';

/**
 * Checks the heads of a model that a stranger may have made, before anything reads them.
 *
 * @throws UserError if `checkModel` refuses one
 */
export function checkHeads({ files }: Artifact): void {
  for (const [name, bytes] of Object.entries(files)) if (headOf(name) !== undefined) check(name, bytes);
}

function check(name: string, bytes: Uint8Array): void {
  try {
    checkModel(bytes);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new UserError(
      'model',
      `${name}: is not an ONNX model that cofactor makes: ${error.message}; train the model again, or give ${option('trust')} if you made the file yourself`,
    );
  }
}
