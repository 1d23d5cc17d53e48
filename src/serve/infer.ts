import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { chunksOf, type Feeds } from '../recommend/chunks.ts';
import { type Encoding, encoded } from '../run/encode.ts';
import type { WorkerSession } from '../run/worker.ts';
import type { NamedEncoded } from '../run/worker-messages.ts';
import { size } from '../util/format.ts';
import { mapValues } from '../util/map-values.ts';
import type { Allowance } from './allowance.ts';
import { badRequest, HttpError } from './errors.ts';
import { isLongFoldIn, type Lanes } from './lanes.ts';
import { LIMITS } from './limits.ts';
import type { OpenModel } from './open-model.ts';
import { datatypeOf, type GivenTensor, readTensor, type TensorMetadata } from './tensors.ts';

/** An inference request of the Open Inference Protocol, version 2. */
export interface InferRequest {
  readonly id?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly inputs: readonly GivenTensor[];
  readonly outputs?: readonly {
    readonly name: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  }[];
}

/** A JSON document, and the binary tensor data after it, if the request asked for it; both in pieces. */
export interface InferResponse {
  readonly json: readonly (string | Uint8Array)[];
  readonly binary: readonly Uint8Array[];
}

/** An output that a request asks for. */
interface Output {
  readonly name: string;
  readonly encoding: Encoding;
}

const DEFAULT_K = 10;

/**
 * Runs a head of a model.
 *
 * @param binary binary data after the JSON document of the request
 * @throws HttpError 400 if the model does not accept the inputs, 413 if the answer could be too large
 */
export async function infer(
  model: OpenModel,
  head: string,
  { body: request, binary, allowance }: { body: InferRequest; binary: Buffer; allowance: Allowance },
  lanes: Lanes,
): Promise<InferResponse> {
  const session = model.sessions.get(head) as WorkerSession;
  const wanted = chosenOutputs(session, request);
  const feeds = readInputs(session, request, binary);
  const lengths = axesOf(session, feeds);
  if (head.startsWith('fold-in') && feeds.item.size > LIMITS.ratings)
    throw badRequest(`${feeds.item.size} items; ${head} accepts up to ${LIMITS.ratings}`);
  const bytes = answerBytes(model, session, wanted, lengths);
  allowance.check(bytes);
  const most = Math.max(1, Math.floor(LIMITS.texts / (lengths.get('k') ?? 1)));
  const rows = Math.min(model.recommender.rowsPerRun(head), most);
  const encodings = Object.fromEntries(wanted.map(({ name, encoding }) => [name, encoding]));
  const stop = { signal: allowance };
  const runChunk = async (chunk: Feeds): Promise<NamedEncoded> => {
    if (bytes > SHORT) return session.runEncoded(chunk, encodings, stop);
    const results = await session.run(chunk, stop as object);
    return mapValues(encodings, (encoding, name) => encoded(results[name], encoding));
  };
  const runAll = async (): Promise<NamedEncoded[]> => {
    const chunks: NamedEncoded[] = [];
    for (const chunk of chunksOf(session, feeds, rows)) {
      if (chunks.length === 0) allowance.add(bytes);
      allowance.throwIfAborted();
      chunks.push(await runChunk(chunk));
    }
    return chunks;
  };
  const isLong =
    (lengths.get('n') ?? 1) > rows || (head.startsWith('fold-in') && isLongFoldIn(feeds.item.size));
  const chunks = await (isLong ? lanes.run(runAll) : runAll());
  const { id } = request;
  const about = { model_name: `${model.name}.${head}`, model_version: String(model.version), id };
  return responseOf(about, wanted, chunks);
}

/** Bytes of an answer that is written faster than its parts are sent to a worker and back. */
const SHORT = 2 ** 15;

function responseOf(
  about: object,
  wanted: readonly Output[],
  chunks: readonly NamedEncoded[],
): InferResponse {
  const json: (string | Uint8Array)[] = [`${JSON.stringify(about).slice(0, -1)},"outputs":[`];
  const binary: Uint8Array[] = [];
  for (const [index, { name, encoding }] of wanted.entries()) {
    const parts = chunks.map((chunk) => chunk[name]);
    const [{ type, dims }] = parts;
    const shape = [parts.reduce((sum, part) => sum + part.dims[0], 0), ...dims.slice(1)];
    const contents = parts.map(({ content }) => content).filter(({ length }) => length > 0);
    json.push(
      `${index > 0 ? ',' : ''}{"name":${JSON.stringify(name)},"datatype":"${datatypeOf(type)}","shape":[${shape}],`,
    );
    if (encoding === 'binary') {
      const size = contents.reduce((sum, { length }) => sum + length, 0);
      json.push(`"parameters":{"binary_data_size":${size}}}`);
      binary.push(...(contents as Uint8Array[]));
    } else {
      json.push('"data":[');
      for (const [at, content] of contents.entries()) json.push(...(at > 0 ? [',', content] : [content]));
      json.push(']}');
    }
  }
  json.push(']}');
  return { json, binary };
}

/** Most bytes of a number as JSON, with the comma. */
const NUMBER_BYTES = 24;

/**
 * Most bytes of an answer, computed before anything runs.
 *
 * @throws HttpError 400 if an output is too large, 413 if all together are
 */
function answerBytes(
  { idBytes }: OpenModel,
  { outputMetadata }: InferenceSession,
  wanted: readonly Output[],
  lengths: ReadonlyMap<string | number, number>,
): number {
  let bytes = 0;
  for (const { name } of wanted) {
    const { shape, type } = outputMetadata.find((one) => one.name === name) as TensorMetadata;
    const sizes = shape.map((dim) => lengths.get(dim) ?? (Number(dim) || 1));
    const elements = sizes.reduce((product, dim) => product * dim, 1);
    if (elements > LIMITS.elements)
      throw badRequest(
        `output ${JSON.stringify(name)} would have over ${LIMITS.elements} elements; ask for fewer at once`,
      );
    const width = sizes[sizes.length - 1];
    bytes += type === 'string' ? (elements / width) * idBytes(width) : elements * NUMBER_BYTES;
  }
  if (bytes <= LIMITS.answer) return bytes;
  throw new HttpError(
    413,
    `the answer could have ${size(bytes)}, more than ${size(LIMITS.answer)}; ask for fewer outputs, rows or items at once`,
  );
}

/** The outputs that the request asks for, and whether each is binary. Default: all outputs */
function chosenOutputs({ outputNames }: InferenceSession, { outputs, parameters }: InferRequest): Output[] {
  const all = encodingOf(parameters?.binary_data_output === true);
  if (!outputs?.length) return outputNames.map((name) => ({ name, encoding: all }));
  const seen = new Set<string>();
  return outputs.map(({ name, parameters }) => {
    const quoted = `output ${JSON.stringify(name)}`;
    if (!outputNames.includes(name)) throw badRequest(`${quoted}: the model has ${outputNames.join(', ')}`);
    if (seen.has(name)) throw badRequest(`${quoted} is named twice`);
    seen.add(name);
    const binary = parameters?.binary_data;
    return { name, encoding: binary === undefined ? all : encodingOf(binary === true) };
  });
}

const encodingOf = (binary: boolean): Encoding => (binary ? 'binary' : 'json');

function readInputs(
  { inputMetadata, inputNames }: InferenceSession,
  { inputs }: InferRequest,
  binary: Buffer,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  let at = 0;
  for (const given of inputs) {
    const metadata = inputMetadata.find(({ name }) => name === given.name);
    const name = JSON.stringify(given.name);
    if (!metadata) throw badRequest(`input ${name}: the model takes ${inputNames.join(', ')}`);
    if (feeds[given.name]) throw badRequest(`input ${name} is given twice`);
    const size = given.parameters?.binary_data_size;
    const bytes = size === undefined ? undefined : binary.subarray(at, at + Number(size));
    if (bytes && bytes.length !== size)
      throw badRequest(
        `input ${name}: binary_data_size is ${JSON.stringify(size)}, but the body does not have as many bytes`,
      );
    feeds[given.name] = readTensor(given, metadata as TensorMetadata, bytes);
    at += bytes?.length ?? 0;
  }
  if (at < binary.length) throw badRequest(`the body has ${binary.length - at} more bytes than its inputs`);
  return withDefaults(inputMetadata as readonly TensorMetadata[], feeds);
}

/** Adds defaults of the optional inputs `k` and `exclude`. */
function withDefaults(metadata: readonly TensorMetadata[], feeds: Record<string, Tensor>) {
  const missing = metadata.filter(({ name }) => !feeds[name]);
  const rows = Object.values(feeds)[0]?.dims[0] ?? 0;
  for (const { name } of missing) {
    if (name === 'k') feeds.k = new Tensor('int64', [BigInt(DEFAULT_K)], [1]);
    else if (name === 'exclude') feeds.exclude = new Tensor('string', [], [rows, 0]);
    else throw badRequest(`input ${JSON.stringify(name)} is missing`);
  }
  return feeds;
}

/** The lengths of the axes that have a name. @throws HttpError 400 if an axis has several lengths */
function axesOf({ inputMetadata }: InferenceSession, feeds: Record<string, Tensor>) {
  const lengths = new Map<string | number, number>();
  for (const { name, shape } of inputMetadata as readonly TensorMetadata[]) {
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'number') continue;
      const length = feeds[name].dims[axis];
      const other = lengths.get(dim) ?? length;
      if (other !== length)
        throw badRequest(
          `input ${JSON.stringify(name)}: axis ${axis} is ${length}, but ${other} in another input`,
        );
      lengths.set(dim, length);
    }
  }
  // With no rows, ONNX Runtime's TopK divides by zero and crashes the process.
  if (lengths.get('n') === 0) throw badRequest('there are no rows; give at least one');
  if (feeds.k) lengths.set('k', countOf(feeds.k));
  return lengths;
}

function countOf({ data }: Tensor): number {
  const k = Number(data[0]);
  if (k >= 1 && k <= LIMITS.k) return k;
  throw badRequest(`k is ${k}; give a whole number from 1 to ${LIMITS.k}`);
}
