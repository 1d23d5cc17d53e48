import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256, writeSynced } from '../artifact/artifact.ts';
import { oneLine } from '../data/text.ts';
import { UserError } from '../errors.ts';
import { buildModel, decodeModel, encodeModel, initializer } from '../onnx/index.ts';
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

/** A checkpoint that is being written. */
const incomingOf = (path: string): string => `${path}.incoming`;

/**
 * Writes a checkpoint, as an ONNX file of tensors, so that a kill leaves the one before or this one.
 *
 * @throws UserError if it cannot be written.
 */
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
  const metadata = { ...file.metadata, sha256: sha256(encodeModel(file)) };
  const incoming = incomingOf(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    await rm(incoming, { force: true });
    await writeSynced(incoming, encodeModel({ ...file, metadata }));
    await rename(incoming, path);
  } catch (error) {
    await rm(incoming, { force: true }).catch(() => undefined);
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${path}: the checkpoint could not be written (${code ?? error})`);
  }
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
  const [was, is] = [new Map(leaves(found.settings)), new Map(leaves(settings))];
  const other = [...new Map([...was, ...is]).keys()].filter((key) => was.get(key) !== is.get(key));
  if (other.length > 0) {
    const changes = other.map(
      (key) => `${key} was ${was.get(key) ?? 'not set'}, is ${is.get(key) ?? 'not set'}`,
    );
    throw new UserError(
      oneLine(
        `${path}: belongs to another training: ${changes.join('; ')}; use its settings, or train without --resume`,
      ),
    );
  }
  return found;
}

export async function removeCheckpoint(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(incomingOf(path), { force: true });
}

/** Each setting by its path: `training.epochs` and `5`. */
function leaves(value: unknown, path: readonly string[] = []): [string, string][] {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, part]) => leaves(part, [...path, key]))
    : [[path.join('.'), JSON.stringify(value)]];
}

function parse(bytes: Uint8Array, path: string): Checkpoint {
  try {
    const file = decodeModel(bytes);
    const { sha256: expected, ...metadata } = file.metadata;
    if (sha256(encodeModel({ ...file, metadata })) !== expected) throw new Error('changed');
    // Outputs, since equal tensors are kept once.
    const { nodes, initializers } = file.graph;
    const constants = new Map(initializers.map(({ name, ...constant }) => [name, constant]));
    const tensors = nodes.map(({ inputs, outputs }): [string, Tensors[string]] => {
      const { dims, data } = constants.get(inputs[0]) as (typeof initializers)[number];
      return [outputs[0], { dims, data: data as Float32Array }];
    });
    const ofBest = tensors.filter(([name]) => name.startsWith(BEST));
    return {
      settings: JSON.parse(metadata.settings),
      history: JSON.parse(metadata.history),
      carried: Object.fromEntries(tensors.filter(([name]) => !name.startsWith(BEST))),
      ...(ofBest.length > 0 && {
        best: Object.fromEntries(ofBest.map(([name, tensor]) => [name.slice(BEST.length), tensor])),
      }),
    };
  } catch {
    throw new UserError(`${path}: the checkpoint is broken; train without --resume`);
  }
}
