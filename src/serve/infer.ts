import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { badRequest } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { OpenModel } from './models.ts';
import {
  datatypeOf,
  type GivenTensor,
  readTensor,
  type TensorMetadata,
  tensorBytes,
  tensorJson,
} from './tensors.ts';

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

/** A JSON document, and the binary tensor data after it, if the request asked for it. */
export interface InferResponse {
  readonly json: string;
  readonly binary: readonly Buffer[];
}

const DEFAULT_K = 10;

/**
 * Runs a head of a model.
 *
 * @param binary binary data after the JSON document of the request
 * @throws HttpError 400 if the model does not accept the inputs
 */
export async function infer(
  model: OpenModel,
  head: string,
  request: InferRequest,
  binary: Buffer,
): Promise<InferResponse> {
  const session = model.sessions.get(head) as InferenceSession;
  const wanted = chosenOutputs(session, request);
  const feeds = readInputs(session, request, binary);
  checkSizes(session, feeds);
  if (head.startsWith('fold-in') && feeds.item.size > LIMITS.ratings)
    throw badRequest(`${feeds.item.size} items; ${head} accepts up to ${LIMITS.ratings}`);
  const results = await model.recommender.run(head, feeds);
  const parts = wanted.map(({ name, binary }) => {
    const tensor = results[name];
    const bytes = binary ? tensorBytes(tensor) : undefined;
    const content = bytes
      ? `"parameters":{"binary_data_size":${bytes.length}}`
      : `"data":${tensorJson(tensor)}`;
    const datatype = datatypeOf(tensor.type);
    const json = `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${tensor.dims}],${content}}`;
    return { json, bytes };
  });
  const { id } = request;
  const about = { model_name: `${model.name}.${head}`, model_version: String(model.version), id };
  return {
    // Concatenated, because the elements are JSON already; JSON.stringify cannot write bigints.
    json: `${JSON.stringify(about).slice(0, -1)},"outputs":[${parts.map(({ json }) => json)}]}`,
    binary: parts.flatMap(({ bytes }) => bytes ?? []),
  };
}

/** The outputs that the request asks for, and whether each is binary. Default: all outputs */
function chosenOutputs({ outputNames }: InferenceSession, { outputs, parameters }: InferRequest) {
  const all = parameters?.binary_data_output === true;
  if (!outputs?.length) return outputNames.map((name) => ({ name, binary: all }));
  return outputs.map(({ name, parameters }) => {
    if (!outputNames.includes(name))
      throw badRequest(`output ${JSON.stringify(name)}: the model has ${outputNames.join(', ')}`);
    return { name, binary: parameters?.binary_data === undefined ? all : parameters.binary_data === true };
  });
}

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

/** Checks that axes with the same name have the same length, and that outputs are within the same limits as inputs. */
function checkSizes({ inputMetadata, outputMetadata }: InferenceSession, feeds: Record<string, Tensor>) {
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
  for (const { name, shape } of outputMetadata as readonly TensorMetadata[]) {
    const size = shape.reduce<number>(
      (product, dim) => product * (lengths.get(dim) ?? (Number(dim) || 1)),
      1,
    );
    if (size > LIMITS.elements)
      throw badRequest(
        `output ${JSON.stringify(name)} would have over ${LIMITS.elements} elements; ask for fewer at once`,
      );
  }
}

function countOf({ data }: Tensor): number {
  const k = Number(data[0]);
  if (k >= 1 && k <= LIMITS.k) return k;
  throw badRequest(`k is ${k}; give a whole number from 1 to ${LIMITS.k}`);
}
