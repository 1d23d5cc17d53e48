import { decodeModel } from '../onnx/index.ts';

/** The ids that a model knows, in the order of their rows. */
export function readVocabulary(predictFile: Uint8Array): { userIds: string[]; itemIds: string[] } {
  const { nodes } = decodeModel(predictFile).graph;
  const idsOf = (input: string): string[] => {
    const encoder = nodes.find(({ operator, inputs }) => operator === 'LabelEncoder' && inputs[0] === input);
    const keys = encoder?.attributes.keys_strings;
    return keys && 'strings' in keys ? [...keys.strings] : [];
  };
  return { userIds: idsOf('user'), itemIds: idsOf('item') };
}
