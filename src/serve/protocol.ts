import type { FastifyInstance } from 'fastify';
import type { WorkerRuntime } from '../run/worker.ts';
import { VERSION } from '../version.ts';
import { HttpError } from './errors.ts';
import { type InferRequest, infer } from './infer.ts';
import type { Lanes } from './lanes.ts';
import { LIMITS } from './limits.ts';
import { HEADS, type ServedModel } from './models.ts';
import type { OpenModel } from './open-model.ts';
import { bytesOf, sendParts } from './pieces.ts';
import { list, open, paramsOf, type Schema, text } from './schemas.ts';
import { DATATYPES, datatypeOf, protocolShape, type TensorMetadata } from './tensors.ts';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

/** The state of the server. */
export interface ServerState {
  readonly models: readonly ServedModel[];
  readonly lanes: Lanes;
  readonly runtime: Pick<WorkerRuntime, 'longestRun'>;
  /** Whether it is closing: it still answers, but says that it is not ready. */
  isClosing(): boolean;
}

/** Adds the Open Inference Protocol, version 2, with Triton's extensions for binary data and for the index of models. */
export function addProtocol(app: FastifyInstance, state: ServerState): void {
  const about = (summary: string, more: Schema = {}) => ({
    schema: { tags: ['Open Inference Protocol'], summary, ...more },
  });
  const health = (summary: string) => ({ ...about(summary), config: { always: true } });
  const checkLive = (): void => {
    if (state.runtime.longestRun > LIMITS.longestRun)
      throw new HttpError(503, 'a worker does not end its run; start the server again');
  };
  const checkReady = (): void => {
    checkLive();
    if (state.isClosing()) throw new HttpError(503, 'the server is closing');
  };
  app.get('/v2', about('The server'), async () => ({
    name: 'cofactor',
    version: VERSION,
    extensions: ['binary_tensor_data', 'model_repository'],
  }));
  app.get('/v2/health/live', health('Whether the server runs'), async () => {
    checkLive();
    return { live: true };
  });
  app.get('/v2/health/ready', health('Whether it takes requests'), async () => {
    checkReady();
    return { ready: true };
  });
  app.post('/v2/repository/index', about('All models'), async () =>
    state.models.flatMap(({ current: { name, version, sessions } }) =>
      servedHeads(sessions).map((head) => {
        const model = `${name}.${head}`;
        return { name: model, version: String(version), state: 'READY', reason: '' };
      }),
    ),
  );

  function ask<T>(
    { model: name, version }: ModelParams,
    question: (model: OpenModel, head: string) => T | Promise<T>,
  ): Promise<T> {
    for (const served of state.models) {
      const head = servedHeads(served.current.sessions).find((head) => `${served.name}.${head}` === name);
      if (!head) continue;
      if (version !== undefined && version !== String(served.current.version))
        throw new HttpError(404, `model ${name} only has version ${served.current.version}`);
      return served.ask(async (model) => question(model, head));
    }
    throw new HttpError(404, 'there is no model with that name; POST /v2/repository/index lists all models');
  }

  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    const params = paramsOf(path);
    app.get<{ Params: ModelParams }>(path, about('A model', { params }), ({ params }) =>
      ask(params, describe),
    );
    app.get<{ Params: ModelParams }>(
      `${path}/ready`,
      about('Whether a model takes requests', { params }),
      async ({ params }) => {
        checkReady();
        return ask(params, () => ({ name: params.model, ready: true }));
      },
    );
    app.post<{ Params: ModelParams; Body: InferRequest }>(
      `${path}/infer`,
      about('Run a model', { params, body: INFER_REQUEST }),
      async (request, reply) => {
        const { json, binary } = await request.allowance.run(() =>
          ask(request.params, (model, head) => infer(model, head, request, state.lanes)),
        );
        if (binary.length === 0) return sendParts(reply.type('application/json'), json);
        const document = json.map(bytesOf);
        const length = document.reduce((sum, part) => sum + part.length, 0);
        reply.type('application/octet-stream').header('inference-header-content-length', length);
        return sendParts(reply, [...document, ...binary]);
      },
    );
  }
}

const servedHeads = (sessions: OpenModel['sessions']): string[] => HEADS.filter((head) => sessions.has(head));

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

const parameters = { type: 'object' };
const size = { type: 'integer', minimum: 0, maximum: LIMITS.elements };

const INPUT = open(
  {
    name: text,
    shape: { ...list(size), maxItems: LIMITS.rank },
    datatype: { enum: DATATYPES },
    parameters,
    data: list({}),
  },
  ['name', 'shape', 'datatype'],
);

const INFER_REQUEST = open(
  { id: text, parameters, inputs: list(INPUT), outputs: list(open({ name: text, parameters }, ['name'])) },
  ['inputs'],
);
