import type { FastifyInstance } from 'fastify';
import { VERSION } from '../version.ts';
import { HttpError } from './errors.ts';
import { type InferRequest, infer } from './infer.ts';
import { LIMITS } from './limits.ts';
import { HEADS, type OpenModel, type ServedModel } from './models.ts';
import { DATATYPES, datatypeOf, protocolShape, type TensorMetadata } from './tensors.ts';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

/** What may be known of the server beside its models. */
export interface ServerState {
  readonly models: readonly ServedModel[];
  /** Whether it is closing: it answers, but asks for no more. */
  readonly draining: boolean;
}

/** The Open Inference Protocol, version 2, with Triton's binary data and its index of models. */
export function addProtocol(app: FastifyInstance, state: ServerState): void {
  const tags = ['Open Inference Protocol'];
  app.get('/v2', { schema: { tags, summary: 'The server' } }, async () => ({
    name: 'cofactor',
    version: VERSION,
    extensions: ['binary_tensor_data', 'model_repository'],
  }));
  app.get('/v2/health/live', { schema: { tags, summary: 'Whether the server runs' } }, async () => ({
    live: true,
  }));
  app.get('/v2/health/ready', { schema: { tags, summary: 'Whether it takes requests' } }, async () => {
    if (state.draining) throw new HttpError(503, 'the server is closing');
    return { ready: true };
  });
  app.post('/v2/repository/index', { schema: { tags, summary: 'All models' } }, async () =>
    state.models.flatMap(({ current }) =>
      servedHeads(current).map((head) => ({
        name: `${current.name}.${head}`,
        version: String(current.version),
        state: 'READY',
        reason: '',
      })),
    ),
  );

  /** Asks the model that a request names. */
  function ask<T>(
    { model: name, version }: ModelParams,
    question: (model: OpenModel, head: string) => T | Promise<T>,
  ): Promise<T> {
    for (const served of state.models) {
      const head = servedHeads(served.current).find((head) => `${served.name}.${head}` === name);
      if (!head) continue;
      if (version !== undefined && version !== String(served.current.version))
        throw new HttpError(404, `model ${name} has version ${served.current.version} alone`);
      return served.ask(async (model) => question(model, head));
    }
    throw new HttpError(404, 'there is no model of that name; POST /v2/repository/index lists them');
  }

  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    const params = {
      type: 'object',
      properties: Object.fromEntries(
        [...path.matchAll(/:(\w+)/g)].map(([, name]) => [name, { type: 'string' }]),
      ),
    };
    app.get<{ Params: ModelParams }>(path, { schema: { tags, params, summary: 'A model' } }, ({ params }) =>
      ask(params, describe),
    );
    app.get<{ Params: ModelParams }>(
      `${path}/ready`,
      { schema: { tags, params, summary: 'Whether a model takes requests' } },
      async ({ params }) => {
        if (state.draining) throw new HttpError(503, 'the server is closing');
        return ask(params, () => ({ name: params.model, ready: true }));
      },
    );
    app.post<{ Params: ModelParams; Body: InferRequest }>(
      `${path}/infer`,
      { schema: { tags, params, summary: 'Run a model', body: INFER_REQUEST } },
      async ({ params, body, binary }, reply) => {
        const answer = await ask(params, (model, head) => infer(model, head, body, binary));
        if (answer.binary.length === 0) return reply.type('application/json').send(answer.json);
        const json = Buffer.from(answer.json);
        return reply
          .type('application/octet-stream')
          .header('inference-header-content-length', json.length)
          .send(Buffer.concat([json, ...answer.binary]));
      },
    );
  }
}

const servedHeads = ({ sessions }: OpenModel): string[] => HEADS.filter((head) => sessions.has(head));

function describe({ name, version, sessions }: OpenModel, head: string) {
  const { inputMetadata = [], outputMetadata = [] } = sessions.get(head) ?? {};
  const tensors = (all: typeof inputMetadata) =>
    (all as readonly TensorMetadata[]).map(({ name, type, shape }) => ({
      name,
      datatype: datatypeOf(type),
      shape: protocolShape(shape),
    }));
  return {
    name: `${name}.${head}`,
    versions: [String(version)],
    platform: 'onnxruntime_onnx',
    inputs: tensors(inputMetadata),
    outputs: tensors(outputMetadata),
  };
}

type Schema = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const parameters = { type: 'object' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const object = (required: readonly string[], properties: Schema): Schema => {
  return { type: 'object', required, properties };
};

const size = { type: 'integer', minimum: 0, maximum: LIMITS.elements };

const INPUT = object(['name', 'shape', 'datatype'], {
  name: text,
  shape: { type: 'array', maxItems: LIMITS.rank, items: size },
  datatype: { enum: DATATYPES },
  parameters,
  data: list({}),
});

const INFER_REQUEST = object(['inputs'], {
  id: text,
  parameters,
  inputs: list(INPUT),
  outputs: list(object(['name'], { name: text, parameters })),
});
