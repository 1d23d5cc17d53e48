import { UserError } from '../errors.ts';
import { graphOf } from './graph-of.ts';
import type { Artifact } from './manifest.ts';

/**
 * The user and item ids of a model, in the order of their rows.
 *
 * @throws UserError if its files have none
 */
export function readVocabulary(artifact: Artifact): { userIds: string[]; itemIds: string[] } {
  const { nodes } = graphOf(artifact, 'predict');
  const idsOf = (input: string): string[] => {
    const encoder = nodes.find(({ operator, inputs }) => operator === 'LabelEncoder' && inputs[0] === input);
    const keys = encoder?.attributes.keys_strings;
    if (!keys || !('strings' in keys))
      throw new UserError('model', `predict.onnx has no ids of ${input}s; train the model again`);
    return [...keys.strings];
  };
  return { userIds: idsOf('user'), itemIds: idsOf('item') };
}

/** The ids that are not known, each once. */
export function unknownIds(ids: readonly string[], known: readonly string[]): string[] {
  const set = new Set(known);
  return [...new Set(ids)].filter((id) => !set.has(id));
}
