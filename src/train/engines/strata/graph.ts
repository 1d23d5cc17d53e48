import type { Model, ModelDefinition } from '../../../../graphs/models/model.ts';
import type { Manifest } from '../../../artifact/manifest.ts';
import { UserError } from '../../../errors.ts';
import { encodeModel, GraphError, type ModelFile } from '../../../onnx/index.ts';
import { resolveManifest } from '../../recipe/of-manifest.ts';
import type { Resolved } from '../../recipe/plan.ts';
import { type EpochGraph, epochGraphOfAnySize } from '../epoch/graph.ts';

/** @throws UserError for a formula that is bound to the numbers of users and items */
export function blockGraph(resolved: Resolved): EpochGraph {
  try {
    return epochGraphOfAnySize(resolved);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new UserError(
      'argument',
      `the formula of "${resolved.model.name}" is made for all its users and items, and cannot be trained in blocks of them (${error.message}); train it with the epoch graph`,
    );
  }
}

/**
 * The graph that trains a block of users and one of items on their ratings, for engines of others, as an ONNX file. Its
 * metadata say what it takes and gives: `contract`, as JSON, for each input what it is, where it begins, and whose rows
 * it has, and which output replaces it; `intra_op_threads`, how many threads a session may have.
 *
 * @param definition the formula of a model of one's own, which its files do not tell
 * @throws UserError if the model cannot be trained in blocks, or its formula is not known
 */
export function trainingBlocks(manifest: Manifest, definition?: ModelDefinition): Uint8Array {
  const resolved = resolveManifest(manifest, { engine: 'strata', sparseUpdates: undefined }, definition);
  const { file } = blockGraph(resolved);
  const contract = JSON.stringify(contractOf(file, resolved.model));
  return encodeModel({ ...file, metadata: { ...file.metadata, contract } });
}

function contractOf({ graph: { inputs, outputs } }: ModelFile, model: Model) {
  const describe = (name: string) => {
    const [parameter, state] = name.split('.');
    if (!Object.hasOwn(model.parameters, parameter)) return { is: INPUTS[name] ?? INPUTS.noise_start };
    const { rowsOf, initial } = model.parameters[parameter];
    return {
      is: state ? 'state' : 'parameter',
      rows: rowsOf ? `those of the block of ${rowsOf}s` : 'all: the same in every block',
      initial: state ? 0 : initial,
      replacedBy: `${name}.next`,
    };
  };
  return {
    version: 1,
    does: 'Trains a block of users and a block of items on ratings of the ones by the others. Blocks that share no rows may be trained side by side; what is the same in every block begins each with the same values, and goes on with the mean of what they get.',
    inputs: Object.fromEntries(
      inputs.map(({ name, dtype, dims }) => [name, { dtype, dims, ...describe(name) }]),
    ),
    outputs: Object.fromEntries(
      outputs.map(({ name, dtype, dims }) => {
        const is = name === 'loss' ? 'mean loss of each step' : `${name.slice(0, -5)} after the last step`;
        return [name, { dtype, dims, is }];
      }),
    ),
  };
}

const INPUTS: Readonly<Record<string, string>> = {
  user: 'place of the user in the block, from 0',
  item: 'place of the item in the block, from 0',
  actual: 'ratings, in the order of training',
  batch_start: 'where the ratings of each step begin; last, how many there are',
  learning_rate: 'of each step',
  momentum: 'of each step; only AdamW, Adam and SGD with momentum look at it',
  first_step: 'how many steps were taken before, plus 1',
  noise: 'random numbers from [0, 1)',
  noise_start: 'of each step, where in noise its dropout begins, with room for batch size × width numbers',
};
