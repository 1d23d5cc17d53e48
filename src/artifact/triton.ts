import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { printable, UserError } from '../errors.ts';
import { decodeModel, type NamedType } from '../onnx/index.ts';
import { codeOf, placeOf, replaceFile, syncDirectory, writeSynced } from '../util/files.ts';
import { checkArgument, type Expected, path } from '../util/options.ts';
import { type FolderKind, OwnFolder } from '../util/own-folder.ts';
import { type Artifact, headOf } from './manifest.ts';
import { checkNotInSite } from './site.ts';

/**
 * Adds an artifact's heads to a model repository of Triton Inference Server: `NAME.predict/1/model.onnx` and
 * `NAME.predict/config.pbtxt`, and so on. If the repository has the model, the heads become its next version.
 *
 * @returns the models and their versions
 * @throws UserError if the repository cannot be written, or has a model with that name and other shapes
 */
export async function writeTritonRepository(
  repository: string,
  name: string,
  { files }: Artifact,
): Promise<{ model: string; version: number }[]> {
  checkArgument('the repository is', repository, path);
  checkArgument('the name of the model is', name, modelName);
  const heads = Object.entries(files).flatMap(([file, bytes]) => {
    const head = headOf(file);
    const model = `${name}.${head}`;
    return head ? [{ model, bytes, configuration: configuration(model, bytes) }] : [];
  });
  const folders: OwnFolder[] = [];
  await checkNotInSite(repository, join(await placeOf(repository), name));
  try {
    // All are locked and written before the first appears, so that versions of one model belong together.
    for (const { model } of heads) folders.push(await OwnFolder.open(join(repository, model), TRITON_MODEL));
    for (const [index, head] of heads.entries()) await prepare(folders[index], head);
    // One for all, also after an export that was killed between them.
    const version = 1 + Math.max(0, ...(await Promise.all(folders.map(lastVersion))));
    for (const [index, { configuration }] of heads.entries())
      await publish(folders[index], version, configuration);
    return heads.map(({ model }) => ({ model, version }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof UserError) throw error;
    throw new UserError('file', `${repository}: the repository cannot be written (${codeOf(error)})`);
  } finally {
    for (const folder of folders) folder.close();
  }
}

const TRITON_MODEL: FolderKind = { mark: 'triton', has: () => false };

const CONFIGURATION = 'config.pbtxt';

/** Writes the next version to a hidden folder. */
async function prepare(
  folder: OwnFolder,
  { bytes, configuration }: { readonly bytes: Uint8Array; readonly configuration: string },
): Promise<void> {
  await checkConfiguration(join(folder.directory, CONFIGURATION), configuration);
  await mkdir(folder.hidden('incoming'));
  await writeSynced(join(folder.hidden('incoming'), 'model.onnx'), bytes);
}

/**
 * One configuration holds for all versions of a model. It may have more in it, such as `instance_group`.
 *
 * @throws UserError if it has other inputs or outputs
 */
async function checkConfiguration(path: string, wanted: string): Promise<void> {
  const there = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  const tensors = (text: string): string[] => text.split('\n').filter((line) => /^(in|out)put \{/.test(line));
  if (there !== undefined && tensors(there).join() !== tensors(wanted).join())
    throw new UserError(
      'file',
      `${path}: has other inputs and outputs than this model, or is in another form; export to another repository, or rename the model's folder`,
    );
}

async function lastVersion({ path }: OwnFolder): Promise<number> {
  const versions = (await readdir(path)).filter((name) => /^[1-9]\d*$/.test(name));
  return Math.max(0, ...versions.map(Number));
}

/** Moves a version to its place. A server may be watching: it appears as a whole. */
async function publish(folder: OwnFolder, version: number, configuration: string): Promise<void> {
  if (!(await readdir(folder.path)).includes(CONFIGURATION))
    await replaceFile(join(folder.path, CONFIGURATION), Buffer.from(configuration), 'the configuration');
  await rename(folder.hidden('incoming'), join(folder.path, String(version)));
  await syncDirectory(folder.path);
}

/** A folder of the repository, and a part of the paths of requests. */
const modelName: Expected = {
  fits: (value) =>
    typeof value === 'string' && /^[^./\\\s][^/\\\n\t]*$/.test(value) && printable(value) === value,
  give: 'a name without slashes and control characters that begins with neither a point nor a space; rename the folder of the model',
};

/** A string of protobuf's text format: quotes, backslashes and what cannot be seen are octal escapes of their bytes in UTF-8. */
const quoted = (text: string): string =>
  `"${Array.from(text, (character) =>
    printable(character) === character && !/["\\\n\t]/.test(character)
      ? character
      : Array.from(Buffer.from(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  ).join('')}"`;

const TYPES: Partial<Record<NamedType['dtype'], string>> = {
  string: 'TYPE_STRING',
  float: 'TYPE_FP32',
  int64: 'TYPE_INT64',
};

/** https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto, as text. */
function configuration(model: string, bytes: Uint8Array): string {
  const { inputs, outputs } = decodeModel(bytes).graph;
  const tensors = (kind: string, types: readonly NamedType[]): string[] =>
    types.map(({ name, dtype, dims }) => {
      if (!TYPES[dtype])
        throw new UserError(
          'model',
          `${model}: ${name} is ${dtype}, which no model of ours has; train it again`,
        );
      const sizes = dims.map((dim) => (typeof dim === 'number' ? dim : -1)).join(', ');
      return `${kind} { name: ${quoted(name)} data_type: ${TYPES[dtype]} dims: [ ${sizes} ] }`;
    });
  return [
    `name: ${quoted(model)}`,
    'backend: "onnxruntime"',
    // The inputs have an axis for the rows of a request.
    'max_batch_size: 0',
    ...tensors('input', inputs),
    ...tensors('output', outputs),
    '',
  ].join('\n');
}
