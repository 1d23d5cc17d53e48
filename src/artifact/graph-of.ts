import { UserError } from '../errors.ts';
import { decodeModel, GraphError, type GraphFile } from '../onnx/index.ts';
import { type Artifact, headFile } from './manifest.ts';

/**
 * The graph of a head.
 *
 * @throws UserError if the model lacks the head, or its file is not an ONNX model
 */
export function graphOf(artifact: Artifact, head: string): GraphFile {
  const bytes = headFile(artifact, head);
  try {
    return decodeModel(bytes).graph;
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new UserError('model', `${head}.onnx: is ${error.message}; train the model again`);
  }
}
