import { readFile, rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { UserError } from '../errors.ts';
import { buildModel, decodeModel, encodeModel, GraphError, initializer } from '../onnx/index.ts';
import type { EpochRecord } from './fit.ts';

/** Tensors by name: parameters, and optimizer state. */
export type Tensors = Readonly<
  Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>
>;

/** All that training needs to go on after an epoch as if it had never stopped. */
export interface Checkpoint {
  /** What is trained, on which data, and how: only the same training may go on. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly history: readonly EpochRecord[];
  readonly carried: Tensors;
  /** The parameters of the best epoch so far, where a validation set chooses. */
  readonly best?: Tensors;
}

const BEST = 'best.';

/** Writes a checkpoint, as an ONNX file of tensors, so that a kill leaves the one before or this one. */
export async function writeCheckpoint(
  path: string,
  { settings, history, carried, best = {} }: Checkpoint,
): Promise<void> {
  const tensors = [
    ...Object.entries(carried),
    ...Object.entries(best).map(([name, tensor]) => [BEST + name, tensor] as const),
  ];
  const file = buildModel({
    name: 'checkpoint',
    inputs: [],
    outputs: Object.fromEntries(
      tensors.map(([name, { dims, data }]) => [name, initializer(`${name}.value`, 'float', dims, data)]),
    ),
    metadata: { settings: JSON.stringify(settings), history: JSON.stringify(history) },
  });
  await writeFileAtomic(path, Buffer.from(encodeModel(file)));
}

/**
 * Reads the checkpoint of a training with these settings.
 *
 * @throws UserError if there is none, it is broken, or it belongs to another training.
 */
export async function readCheckpoint(
  path: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Checkpoint> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === 'ENOENT'
        ? `${path}: there is no checkpoint to resume from; train without --resume`
        : `${path}: cannot read the checkpoint (${error.code})`,
    );
  });
  const found = parse(bytes, path);
  const other = Object.keys({ ...found.settings, ...settings }).filter(
    (key) => JSON.stringify(found.settings[key]) !== JSON.stringify(settings[key]),
  );
  if (other.length > 0) {
    const was = other.map(
      (key) => `${key} was ${JSON.stringify(found.settings[key])}, is ${JSON.stringify(settings[key])}`,
    );
    throw new UserError(
      `${path}: belongs to another training: ${was.join('; ')}; use its settings, or train without --resume`,
    );
  }
  return found;
}

export async function removeCheckpoint(path: string): Promise<void> {
  await rm(path, { force: true });
}

function parse(bytes: Uint8Array, path: string): Checkpoint {
  try {
    const { graph, metadata } = decodeModel(bytes);
    const tensors = graph.initializers.map(({ name, dims, data }): [string, Tensors[string]] => [
      name.replace(/\.value$/, ''),
      { dims, data: data as Float32Array },
    ]);
    const ofBest = tensors.filter(([name]) => name.startsWith(BEST));
    return {
      settings: JSON.parse(metadata.settings),
      history: JSON.parse(metadata.history),
      carried: Object.fromEntries(tensors.filter(([name]) => !name.startsWith(BEST))),
      ...(ofBest.length > 0 && {
        best: Object.fromEntries(ofBest.map(([name, tensor]) => [name.slice(BEST.length), tensor])),
      }),
    };
  } catch (error) {
    if (error instanceof GraphError || error instanceof SyntaxError) {
      throw new UserError(`${path}: the checkpoint is broken; train without --resume`);
    }
    throw error;
  }
}
