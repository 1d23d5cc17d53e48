import type { Model, ModelDefinition } from '../../../../graphs/models/model.ts';
import type { Manifest } from '../../../artifact/manifest.ts';
import { UserError } from '../../../errors.ts';
import { encodeModel, type ModelFile } from '../../../onnx/index.ts';
import { modelOf, optimizers } from '../../recipe/of-manifest.ts';
import { type Settings, settingsFor } from '../../recipe/settings.ts';
import type { Optimizer } from '../../step/optimizers.ts';
import { schedules } from '../../step/schedules.ts';
import { type EpochGraph, graphOfAnySize } from '../epoch/graph.ts';

/**
 * The graph that trains a stratum: the epoch graph for blocks of any size.
 *
 * @throws UserError for a formula that is bound to the numbers of users and items
 */
export function blockGraph(model: Model, settings: Settings): EpochGraph {
  const graph = graphOfAnySize(model, { ...settings, lazy: true });
  if (graph) return graph;
  throw new UserError(
    `the formula of "${model.name}" is made for all its users and items, and cannot be trained in blocks of them; train it with the epoch graph`,
  );
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
  const model = modelOf(manifest, definition);
  const { optimizer, schedule, ...settings } = manifest.training as Record<string, unknown> & {
    optimizer: { name: keyof typeof optimizers };
    schedule: { name: keyof typeof schedules; learningRate: number };
  };
  if (!Object.hasOwn(optimizers, optimizer.name) || !Object.hasOwn(schedules, schedule.name))
    throw new UserError(
      `the model was trained by ${optimizer.name} and the schedule ${schedule.name}, which its files do not tell; train it with others`,
    );
  const options = {
    ...settings,
    optimizer: (optimizers[optimizer.name] as (config: object) => Optimizer)(optimizer),
    schedule: schedules[schedule.name](schedule),
  };
  const { file } = blockGraph(model, settingsFor(model, options, manifest.data));
  return encodeModel({
    ...file,
    metadata: { ...file.metadata, contract: JSON.stringify(contractOf(file, model)) },
  });
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
      outputs.map(({ name, dtype, dims }) => [
        name,
        {
          dtype,
          dims,
          is: name === 'loss' ? 'mean loss of each step' : `${name.slice(0, -5)} after the last step`,
        },
      ]),
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
  noise_start: 'of each step, where in noise its dropout begins, with room for batch × width numbers',
};
