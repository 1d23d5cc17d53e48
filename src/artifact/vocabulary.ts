import { UserError } from '../errors.ts';
import { graphOf } from './graph-of.ts';
import type { Artifact } from './manifest.ts';

/**
 * The user and item ids of a model, in the order of their rows.
 *
 * @throws UserError if its files have none
 */
export function readVocabulary(artifact: Artifact): { userIds: string[]; itemIds: string[] } {
  return { userIds: idsOf(artifact, 'predict', 'user'), itemIds: idsOf(artifact, 'predict', 'item') };
}

/**
 * The user ids of a model, in the order of their rows, from whichever of its files is loaded.
 *
 * @throws UserError if none of them has any
 */
export function readUserIds(artifact: Artifact): string[] {
  const head = ['predict', 'recommend', 'seen'].find((name) => artifact.files[`${name}.onnx`]);
  return idsOf(artifact, head ?? 'predict', 'user');
}

function idsOf(artifact: Artifact, head: string, input: string): string[] {
  const { nodes } = graphOf(artifact, head);
  const encoder = nodes.find(({ operator, inputs }) => operator === 'LabelEncoder' && inputs[0] === input);
  const keys = encoder?.attributes.keys_strings;
  if (!keys || !('strings' in keys))
    throw new UserError('model', `${head}.onnx has no ids of ${input}s; train the model again`);
  return [...keys.strings];
}

/** The ids that are not known, each once. */
export function unknownIds(ids: readonly string[], known: readonly string[]): string[] {
  const set = new Set(known);
  return [...new Set(ids)].filter((id) => !set.has(id));
}
