import { readArtifact } from '../artifact/artifact.ts';
import { nodeRuntime } from '../run/node.ts';
import { Recommender } from './recommender.ts';

/**
 * The model in a folder, ready to be asked, in Node.
 *
 * @throws UserError if there is none, it is broken, or ONNX Runtime refuses it.
 */
export async function load(directory: string): Promise<Recommender> {
  return Recommender.create(await readArtifact(directory), await nodeRuntime());
}
