import { readArtifact } from '../artifact/artifact.ts';
import { type NodeRuntimeOptions, nodeRuntime } from '../run/node.ts';
import { Recommender } from './recommender.ts';

/**
 * The model in a folder, ready to be asked, in Node.
 *
 * @param heads which to open at once (`predict`); the others are opened when they are first needed
 * @param options what runs it: `{ device: 'cuda' }`. Default: the CPU.
 * @throws UserError if there is none, it is broken, ONNX Runtime refuses it, or the device is not available.
 */
export async function load(
  directory: string,
  heads?: readonly string[],
  options?: NodeRuntimeOptions,
): Promise<Recommender> {
  return Recommender.create(await readArtifact(directory), await nodeRuntime(options), heads);
}
