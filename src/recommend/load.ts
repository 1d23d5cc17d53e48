import { readArtifact } from '../artifact/artifact.ts';
import { nodeRuntime } from '../run/node.ts';
import { Recommender } from './recommender.ts';

/**
 * The model in a folder, ready to be asked, in Node.
 *
 * @param heads which to open at once (`predict`); the others are opened when they are first needed
 * @throws UserError if there is none, it is broken, or ONNX Runtime refuses it.
 */
export async function load(directory: string, heads?: readonly string[]): Promise<Recommender> {
  return Recommender.create(await readArtifact(directory), await nodeRuntime(), heads);
}
