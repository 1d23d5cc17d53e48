import type { Vocabulary } from '../../graphs/predict.ts';
import { readArtifact } from '../artifact/artifact.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { Recommender } from '../recommend/recommender.ts';
import { nodeRuntime } from '../run/node.ts';

/** The model in a folder, ready to be asked, and the ids that it knows. */
export async function load(directory: string): Promise<{ recommender: Recommender; known: Vocabulary }> {
  const artifact = await readArtifact(directory);
  const recommender = await Recommender.create(artifact, await nodeRuntime());
  return { recommender, known: readVocabulary(artifact.files['predict.onnx']) };
}
