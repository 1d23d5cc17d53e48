import { UserError } from '../errors.ts';
import { graphOf } from './graph-of.ts';
import type { Artifact } from './manifest.ts';

/**
 * The items that each user rated in training, as the rows of `readVocabulary`: one list a user. Undefined for a model
 * that does not keep them.
 *
 * @throws UserError if `seen.onnx` does not hold them
 */
export function readSeen(artifact: Artifact): Int32Array[] | undefined {
  if (!artifact.manifest.files['seen.onnx']) return undefined;
  const { initializers } = graphOf(artifact, 'seen');
  const dataOf = (name: string) => initializers.find((initializer) => initializer.name === name)?.data;
  const [starts, rows] = [dataOf('starts'), dataOf('rated_rows')];
  if (!(starts instanceof BigInt64Array) || !(rows instanceof Uint16Array || rows instanceof Int32Array))
    throw new UserError('model', 'seen.onnx does not say what users rated; train the model again');
  // The last two bounds are those of the unknown user, who has rated none.
  return Array.from({ length: starts.length - 2 }, (_, user) =>
    Int32Array.from(rows.subarray(Number(starts[user]), Number(starts[user + 1]))),
  );
}
