import type { Model, ModelDefinition } from '../../../../graphs/models/model.ts';
import type { Manifest } from '../../../artifact/manifest.ts';
import { option, UserError } from '../../../errors.ts';
import { encodeModel, GraphError, type ModelFile } from '../../../onnx/index.ts';
import { resolveManifest } from '../../recipe/of-manifest.ts';
import type { Resolved } from '../../recipe/plan.ts';
import { type EpochGraph, epochGraphOfAnySize } from '../epoch/graph.ts';

/**
 * The training graph for a block of users and a block of items.
 *
 * @throws UserError for a formula that needs to know the numbers of users and items
 */
export function blockGraph(resolved: Resolved): EpochGraph {
  try {
    return epochGraphOfAnySize(resolved);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new UserError(
      'argument',
      `the formula of "${resolved.model.name}" needs all users and items, so it cannot be trained by strata (${error.message}); give ${option("engine: 'epoch-graph'")}`,
    );
  }
}

/**
 * The graph that trains a block of users and a block of items on their ratings, as an ONNX file, for other training
 * programs. Its metadata describes it: `contract`, as JSON, has for each input what it is, its initial values, whose rows
 * it has, and which output replaces it; `intra_op_threads` is the number of threads that a session may have.
 *
 * @param definition the definition of a model of your own, which is not in its files
 * @throws UserError if the model cannot be trained by strata, or its definition is missing
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
    ...(Object.values(model.parameters).some(({ initial }) => initial.posterior) && { leavesOut: LEFT_OUT }),
    does: 'Trains a block of users and a block of items on the ratings of these items by these users. Blocks that share no rows may be trained in parallel. Parameters that are the same in every block start with the same values in each, and are averaged afterwards.',
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

const LEFT_OUT = {
  posterior:
    'Biases whose initial values have `posterior` may start at `center`. cofactor adds to each row score(m + b) − score(m): m is the mean of all ratings, clipped to the scale; b the posterior mean of its bias in rating = m + user bias + item bias + noise, where the variances of all three are estimated from the ratings; score the inverse of rating = low + (high − low) · σ(score).',
  pull: 'After each epoch, with row-adagrad, cofactor pulls biases to the mean of their prior, and factors to where they started.',
};

const INPUTS: Readonly<Record<string, string>> = {
  user: 'position of the user in the block, from 0',
  item: 'position of the item in the block, from 0',
  actual: 'ratings, in the order of training',
  batch_start: 'index of the first rating of each step, and the number of ratings at the end',
  learning_rate: 'of each step',
  momentum: 'of each step; only AdamW, Adam and SGD with momentum use it',
  first_step: 'number of steps taken before, plus 1',
  noise: 'random numbers from [0, 1)',
  noise_start:
    'index in noise at which the dropout mask of each step starts; it takes batch size × width numbers',
};
