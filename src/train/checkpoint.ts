import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Tensors } from '../../graphs/heads/serving.ts';
import { option, UserError } from '../errors.ts';
import { PRODUCER } from '../onnx/file.ts';
import { decodeModel, encodeModel, type ModelFile } from '../onnx/index.ts';
import { readRegular, replaceFile } from '../util/files.ts';
import { identityOf } from '../util/identity.ts';
import type { Checkpoint, CheckpointStore, PartCheckpoint } from './progress.ts';

const BEST = 'best.';

/** An ONNX file cannot be larger. */
const MOST_BYTES = 2 ** 31;

/** A checkpoint in a file. It stays after training, until the model is saved and the caller removes it. */
export function checkpointFile(path: string, resume = false): CheckpointStore {
  const folder = dirname(path);
  let identity = identityOf(folder);
  return {
    read: async (settings) => (resume ? readCheckpoint(path, settings) : undefined),
    async write(checkpoint) {
      if (identity !== undefined && identityOf(folder) !== identity)
        throw new UserError(
          'file',
          `${folder}: was moved or replaced while the training ran, so no checkpoint is written there; do it again`,
        );
      await writeCheckpoint(path, checkpoint, identity === undefined);
      identity ??= identityOf(folder);
    },
    remove: () => removeCheckpoint(path),
  };
}

/**
 * Writes a checkpoint as an ONNX file of tensors. After a kill, the file is the previous checkpoint or this one.
 *
 * @param makes whether its folder is made
 */
export async function writeCheckpoint(
  path: string,
  { settings, parts }: Checkpoint,
  makes = true,
): Promise<void> {
  const named = (prefix: string, tensors: Tensors = {}) =>
    Object.entries(tensors).map(([name, tensor]) => ({
      name: prefix + name,
      dtype: 'float' as const,
      ...tensor,
    }));
  const all = Object.entries(parts);
  const initializers = all.flatMap(([objective, { carried, best }]) => [
    ...named(`${objective}.`, carried),
    ...named(`${objective}.${BEST}`, best),
  ]);
  const history = Object.fromEntries(all.map(([objective, part]) => [objective, part.history]));
  const facts = { settings: JSON.stringify(settings), history: JSON.stringify(history) };
  const file: ModelFile = {
    irVersion: 8,
    opsets: { '': 16 },
    producer: PRODUCER,
    metadata: { ...facts, sha256: checksum(facts, initializers) },
    graph: { name: 'checkpoint', inputs: [], outputs: [], nodes: [], initializers },
  };
  await replaceFile(path, encodeModel(file), 'the checkpoint', makes);
}

/** @throws UserError if there is no checkpoint, it is broken, or it belongs to another training */
export async function readCheckpoint(
  path: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Checkpoint> {
  const bytes = await readRegular(path, { most: MOST_BYTES }).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof UserError) throw error;
    throw new UserError(
      'file',
      error.code === 'ENOENT'
        ? `${path}: there is no checkpoint to resume from; train without ${option('resume')}`
        : `${path}: cannot read the checkpoint (${error.code})`,
    );
  });
  const found = parse(bytes, path);
  const [was, is] = [new Map(leaves(found.settings)), new Map(leaves(settings))];
  const different = [...new Map([...was, ...is]).keys()].filter((key) => was.get(key) !== is.get(key));
  // These two follow from the other settings, except with a model of your own, whose formula is not in the settings.
  const settingsAlone = different.filter((key) => !/(^|\.)(graph|initial)$/.test(key));
  // Each engine has its own defaults, and each objective its own choices, so if one of these differs, only that is reported.
  const others = [
    ...['objective', 'training.engine'].map((only) => different.filter((key) => key === only)),
    ...[settingsAlone, different],
  ];
  const other = others.find((keys) => keys.length > 0) ?? [];
  if (other.length > 0) {
    const changes = other.map(
      (key) => `${key} was ${was.get(key) ?? 'not set'}, is ${is.get(key) ?? 'not set'}`,
    );
    throw new UserError(
      'file',
      `${path}: belongs to another training: ${changes.join('; ')}; use its settings, or train without ${option('resume')}`,
    );
  }
  return found;
}

export const removeCheckpoint = (path: string): Promise<void> => rm(path, { force: true });

/** The settings by path, such as `training.epochs` and `5`. */
function leaves(value: unknown, path: readonly string[] = []): [string, string][] {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, part]) => leaves(part, [...path, key]))
    : [[path.join('.'), JSON.stringify(value)]];
}

function parse(bytes: Uint8Array, path: string): Checkpoint {
  try {
    const { graph, metadata } = decodeModel(bytes);
    const { settings, history, sha256 } = metadata;
    if (checksum({ settings, history }, graph.initializers) !== sha256) throw new Error('changed');
    const tensors = graph.initializers.map(({ name, dims, data }): [string, Tensors[string]] => [
      name,
      { dims, data: data as Float32Array },
    ]);
    const under = (prefix: string): [string, Tensors[string]][] =>
      tensors
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]);
    const partOf = (objective: string, history: PartCheckpoint['history']): PartCheckpoint => {
      const best = under(`${objective}.${BEST}`);
      const carried = under(`${objective}.`).filter(([name]) => !name.startsWith(BEST));
      return {
        history,
        carried: Object.fromEntries(carried),
        ...(best.length > 0 && { best: Object.fromEntries(best) }),
      };
    };
    const histories: Record<string, PartCheckpoint['history']> = JSON.parse(history);
    return {
      settings: JSON.parse(settings),
      parts: Object.fromEntries(
        Object.entries(histories).map(([objective, history]) => [objective, partOf(objective, history)]),
      ),
    };
  } catch {
    throw new UserError('file', `${path}: the checkpoint is broken; train without ${option('resume')}`);
  }
}

function checksum(facts: Readonly<Record<string, string>>, tensors: ModelFile['graph']['initializers']) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const { name, dtype, dims, data } of tensors) {
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    hash.update(JSON.stringify([name, dtype, dims])).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
