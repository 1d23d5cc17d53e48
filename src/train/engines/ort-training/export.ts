import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Model, ModelDefinition } from '../../../../graphs/models/model.ts';
import { graphOf } from '../../../artifact/graph-of.ts';
import type { Artifact, Manifest } from '../../../artifact/manifest.ts';
import { readVocabulary } from '../../../artifact/vocabulary.ts';
import { option, UserError } from '../../../errors.ts';
import { restoredTable } from '../../../onnx/compress.ts';
import { INCOMING, writeSynced } from '../../../util/files.ts';
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

const CHECKPOINT = 'checkpoint';

/** A temporary folder that is older was left by a writer that was killed. */
const STALE_MS = 60 * 60_000;

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

/**
 * Writes the files of {@link trainingFiles} into a folder, and replaces older ones. After a kill, the folder has the old
 * files, the new ones, or no checkpoint, so that no mixture is used.
 *
 * @returns the names of the files
 * @throws UserError if the folder cannot be written, or holds other files
 */
export async function writeTrainingFiles(
  folder: string,
  artifact: Artifact,
  options: TrainingExportOptions = {},
): Promise<string[]> {
  checkArgument('the folder for the training files is', folder, path);
  const files = trainingFiles(artifact, options);
  const incoming = join(folder, `${INCOMING}${randomBytes(4).toString('hex')}`);
  try {
    const others = (await namesIn(folder)).filter(
      (name) => !Object.hasOwn(files, name) && !name.startsWith(INCOMING),
    );
    if (others.length > 0)
      throw new UserError(
        'file',
        `${folder}: has other files, such as ${others[0]}; choose a new or an empty folder`,
      );
    await mkdir(incoming, { recursive: true });
    for (const [name, bytes] of Object.entries(files)) await writeSynced(join(incoming, name), bytes);
    // Without a checkpoint the files cannot train, so a kill from here on leaves no usable mixture.
    await rm(join(folder, CHECKPOINT), { force: true });
    const last = (name: string): number => Number(name === CHECKPOINT);
    for (const name of Object.keys(files).toSorted((one, other) => last(one) - last(other)))
      await rename(join(incoming, name), join(folder, name));
    await rm(incoming, { recursive: true });
    await removeStale(folder);
  } catch (error) {
    await rm(incoming, { recursive: true, force: true }).catch(() => undefined);
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError('file', `${folder}: the training files could not be written (${code ?? error})`);
  }
  return Object.keys(files);
}

/** Removes the temporary folders of writers that were killed, but not those of writers that may still run. */
async function removeStale(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!name.startsWith(INCOMING)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
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
