import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Model, ModelDefinition } from '../../../../graphs/models/model.ts';
import { graphOf } from '../../../artifact/graph-of.ts';
import type { Artifact, Manifest } from '../../../artifact/manifest.ts';
import { readVocabulary } from '../../../artifact/vocabulary.ts';
import { option, UserError } from '../../../errors.ts';
import { restoredTable } from '../../../onnx/compress.ts';
import { mapValues } from '../../../util/map-values.ts';
import {
  checkArgument,
  checkedLater,
  checkOptions,
  type Expected,
  flag,
  type OptionTable,
  path,
} from '../../../util/options.ts';
import { listed, OwnFolder } from '../../../util/own-folder.ts';
import { initialParameters } from '../../parameters/initial.ts';
import { resolveManifest } from '../../recipe/of-manifest.ts';
import type { RatingPlan } from '../../recipe/plan.ts';
import type { Recipe } from '../../recipe/recipe.ts';
import { stepsOf } from '../batches.ts';
import { trainingArtifacts } from './artifacts.ts';

export interface TrainingExportOptions {
  /** Definition of a model of your own, which is not in its files. */
  readonly definition?: ModelDefinition | undefined;
  /** Starts from initial values instead of the trained parameters. @default false */
  readonly untrained?: boolean | undefined;
  /** A constant learning rate. Default: the schedule that the model was trained with */
  readonly learningRate?: number | undefined;
}

const EXPORT_OPTIONS: OptionTable<TrainingExportOptions> = {
  definition: checkedLater,
  untrained: flag,
  learningRate: checkedLater,
};

const someArtifact: Expected = {
  fits: (value) => typeof (value as Artifact | null)?.manifest === 'object',
  give: 'an Artifact, such as that of readArtifact',
};

export const TRAINING_FOLDER = 'training';

/** File with the ids; the index of an id is its row number in the training files: `{"user": […], "item": […]}`. */
export const VOCABULARY = 'vocabulary.json';

/**
 * The files with which ONNX Runtime's training API continues to train a model in a page, in Python, on Android and iOS:
 * `training_model.onnx`, `eval_model.onnx`, `optimizer_model.onnx` and `checkpoint`, which take row numbers, and
 * `vocabulary.json`, which has the ids of the rows. See `trainingArtifacts`.
 *
 * The optimizer is AdamW, the only one of the training API: with the model's settings if it was trained with AdamW, else
 * with the defaults.
 *
 * @throws UserError if the definition of a model of your own is missing, or the files do not have its parameters
 */
export function trainingFiles(
  artifact: Artifact,
  options: TrainingExportOptions = {},
): Record<string, Uint8Array> {
  checkArgument('the model is', artifact, someArtifact);
  checkOptions(options, EXPORT_OPTIONS);
  const { definition, untrained = false, learningRate } = options;
  const { manifest } = artifact;
  if (learningRate !== undefined && !(Number.isFinite(learningRate) && learningRate > 0))
    throw new UserError('argument', `learningRate is ${learningRate}; give a number above 0`);
  if (definition !== undefined && typeof definition !== 'function')
    throw new UserError('argument', 'definition is not a function; give what dotBias() returns, for example');
  const resolved = resolveManifest(manifest, changed(manifest, learningRate), definition);
  const { model, plan } = resolved;
  const { epochs, batchSize, seed } = plan.training;
  const steps = epochs * stepsOf(manifest.data.ratings, batchSize);
  const parameters = untrained ? initialParameters(model, seed) : trainedParameters(artifact, model);
  const { userIds, itemIds } = readVocabulary(artifact);
  const vocabulary = JSON.stringify({ user: userIds, item: itemIds });
  return {
    ...trainingArtifacts({ ...resolved, parameters, steps }),
    [VOCABULARY]: new TextEncoder().encode(`${vocabulary}\n`),
  };
}

const CHECKPOINT = 'checkpoint';
const GRAPHS = ['training_model.onnx', 'eval_model.onnx', 'optimizer_model.onnx'];

const TRAINING = listed('training', [...GRAPHS, CHECKPOINT, VOCABULARY], CHECKPOINT);

/**
 * Writes the files of {@link trainingFiles} into a folder of their own, and replaces older ones; `files.json` lists them. After
 * a kill, the folder has the old files, the new ones, or no checkpoint, so that no mixture is used.
 *
 * @returns the names of the files
 * @throws UserError if the folder cannot be written, holds other files, or has a checkpoint that was trained further
 */
export async function writeTrainingFiles(
  folder: string,
  artifact: Artifact,
  options: TrainingExportOptions = {},
): Promise<string[]> {
  checkArgument('the folder for the training files is', folder, path);
  const files = trainingFiles(artifact, options);
  const own = await OwnFolder.open(folder, TRAINING);
  try {
    await own.replaceListed(files);
  } finally {
    own.close();
  }
  return Object.keys(files);
}

/** The changes to the model's recipe for the training API, whose only optimizer is AdamW. */
function changed({ training }: Manifest, learningRate?: number): Recipe {
  const { optimizer } = training as unknown as Partial<RatingPlan>;
  const others = optimizer?.name !== 'adamw' && {
    optimizer: undefined,
    batchSize: undefined,
    schedule: undefined,
  };
  return {
    engine: 'ort-training',
    sparseUpdates: undefined,
    ...others,
    ...(learningRate !== undefined && { schedule: { name: 'constant', learningRate } }),
  };
}

function trainedParameters(artifact: Artifact, model: Model): Tensors {
  const graph = graphOf(artifact, 'predict');
  return mapValues(model.parameters, ({ dims, rowsOf }, name) => {
    const table = restoredTable(graph, name);
    // A table in a served graph has one more row, for unknown ids.
    const size = dims.reduce((product, dim) => product * dim, 1);
    const [rows, ...rest] = dims;
    const kept = rowsOf ? [rows + 1, ...rest] : dims;
    if (table?.dims.join() !== kept.join())
      throw new UserError(
        'model',
        `predict.onnx does not have "${name}" as it was trained; export initial values with ${option('untrained')}`,
      );
    return { dims, data: table.data.slice(0, size) };
  });
}
