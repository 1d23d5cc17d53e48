import { option, UserError } from '../errors.ts';
import { checkModel } from '../onnx/check-model.ts';
import { GraphError } from '../onnx/value.ts';
import { type Artifact, headFile } from './manifest.ts';

/**
 * The file of a head, which a stranger may have made.
 *
 * @throws UserError if the model lacks it, or `checkModel` refuses it
 */
export function checkedHead(artifact: Artifact, head: string): Uint8Array {
  const bytes = headFile(artifact, head);
  try {
    checkModel(bytes);
    return bytes;
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new UserError(
      'model',
      `${head}.onnx: ${error.message}; train the model again, or give ${option('trust')} if you made the file yourself`,
    );
  }
}
