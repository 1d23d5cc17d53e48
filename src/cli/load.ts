import type { Vocabulary } from '../../graphs/predict.ts';
import { readArtifact } from '../artifact/artifact.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import { nodeRuntime } from '../run/node.ts';

/** The model in a folder, ready to be asked, and the ids that it knows. */
export async function load(directory: string): Promise<{ recommender: Recommender; known: Vocabulary }> {
  const artifact = await readArtifact(directory);
  const recommender = await Recommender.create(artifact, await nodeRuntime());
  const known = readVocabulary(artifact.files['predict.onnx']);
  if (known.userIds.length === 0 || known.itemIds.length === 0)
    throw new UserError(`${directory}: predict.onnx knows no users or no items; train the model again`);
  return { recommender, known };
}
