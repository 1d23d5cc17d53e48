import { UserError } from '../errors.ts';
import { graphOf } from './graph-of.ts';
import type { Artifact } from './manifest.ts';

/**
 * Rows of the items that each user rated in training, by the rows of `readVocabulary`. Undefined for a model that was
 * saved without them.
 *
 * @throws UserError if `seen.onnx` is broken
 */
export function readSeen(artifact: Artifact): Int32Array[] | undefined {
  if (!artifact.manifest.files['seen.onnx']) return undefined;
  const { initializers } = graphOf(artifact, 'seen');
  const dataOf = (name: string) => initializers.find((initializer) => initializer.name === name)?.data;
  const [starts, rows] = [dataOf('starts'), dataOf('rated_rows')];
  if (!(starts instanceof BigInt64Array) || !(rows instanceof Uint16Array || rows instanceof Int32Array))
    throw new UserError('model', 'seen.onnx does not say what users rated; train the model again');
  // The last two bounds belong to the unknown user, who has no ratings.
  return Array.from({ length: starts.length - 2 }, (_, user) =>
    Int32Array.from(rows.subarray(Number(starts[user]), Number(starts[user + 1]))),
  );
}
