import type { Socket } from 'node:net';
import swagger from '@fastify/swagger';
import { Ajv } from 'ajv';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaValidationError,
  LogController,
  type onRequestHookHandler,
} from 'fastify';
import { oneLine, printableJson, UserError } from '../errors.ts';
import { QueueFullError, WorkerError } from '../run/worker.ts';
import { VERSION } from '../version.ts';
import { Allowance, GONE } from './allowance.ts';
import { Connections } from './connections.ts';
import { BusyError, badRequest, HttpError } from './errors.ts';
import { parseJson } from './json.ts';
import { WATCHING } from './latency.ts';
import { LIMITS } from './limits.ts';
import type { Memory } from './memory.ts';
import type { Metrics } from './metrics.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route answers however busy the server is. */
    readonly always?: boolean;
  }
  interface FastifyRequest {
    /** Its time and memory. */
    allowance: Allowance;
    /** Binary tensor data after the JSON document in the body. */
    binary: Buffer;
  }
}

/** What all requests share. */
export interface Shared {
  readonly metrics: Metrics;
  readonly memory: Memory;
  /** Seconds that a request may take. */
  readonly timeout: number;
  readonly logLevel: string;
  /** Whether the server is closing. */
  isClosing(): boolean;
}

export interface App {
  readonly app: FastifyInstance;
  readonly connections: Connections;
}

/** Creates a server: limits, body parsing, validation and error handling. `addRoutes` adds the routes. */
export async function createApp(shared: Shared, addRoutes: (app: FastifyInstance) => void): Promise<App> {
  const app = Fastify({
    // Standard output only gets the line with the server's address.
    logger: { level: shared.logLevel, stream: { write: log } },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LIMITS.body,
    requestTimeout: LIMITS.requestTimeout,
    http: {
      headersTimeout: LIMITS.headersTimeout,
      connectionsCheckingInterval: LIMITS.checkInterval,
      // Node would answer without a body; `checkHeaders` answers instead.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: LIMITS.parameter, ignoreTrailingSlash: true },
    return503OnClosing: false,
    frameworkErrors: (error, _, reply) => void (reply as FastifyReply).code(400).send(bodyOf(error)),
    clientErrorHandler: answerBroken,
  });
  const connections = new Connections(app.server);
  app.server.on('checkExpectation', (_, response) => {
    const body = JSON.stringify({ error: 'the only supported expectation is 100-continue' });
    response.writeHead(417, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
  await app.register(swagger, { openapi: { info: DESCRIPTION } });
  observe(app, connections, shared);
  allow(app, connections, shared);
  checkHeaders(app);
  readBodies(app);
  validate(app);
  answerErrors(app, shared.metrics);
  const methods = new Map<string, string[]>();
  app.addHook('onRoute', ({ url, method }) => {
    methods.set(url, [...(methods.get(url) ?? []), ...[method].flat()]);
  });
  addRoutes(app);
  refuseOtherMethods(app, methods);
  return { app, connections };
}

/** Writes a line of the log, which is JSON. */
const log = (line: string): void => void process.stderr.write(printableJson(line));

/** Bytes of a request itself: its headers, and the objects of the server. */
const REQUEST_BYTES = 2 ** 15;
/** Most bytes that JSON takes as values, tensors and their copy for a worker, for each of its own. */
const BYTES_PER_BYTE = 24;

/** Gives each request its time and memory, and refuses those for which there is none. */
function allow(app: FastifyInstance, connections: Connections, { memory, timeout, isClosing }: Shared): void {
  app.decorateRequest('allowance');
  app.addHook('onRequest', (request, reply, done) => {
    const { raw, headers } = request;
    const allowance = new Allowance(memory, timeout);
    request.allowance = allowance;
    if (!connections.begin(raw.socket, allowance)) return done(GONE);
    // A keep-alive connection would delay the end.
    if (isClosing()) reply.header('connection', 'close');
    if (request.routeOptions.config?.always) return done();
    if (connections.isCrowded(raw.socket)) {
      reply.header('connection', 'close');
      return done(new BusyError('there are too many connections; try again later', 'connections'));
    }
    const body = headers['transfer-encoding'] ? LIMITS.body : Number(headers['content-length'] ?? 0);
    allowance.add(REQUEST_BYTES + Math.min(body, LIMITS.announced));
    if (body > LIMITS.announced) countBody(request, reply);
    done();
  });
}

/** Counts a large body as it comes: one that was announced and does not come takes nothing. */
function countBody({ raw, allowance }: FastifyRequest, reply: FastifyReply): void {
  let ahead: number = LIMITS.announced;
  // Not with the first listener, which would let the body flow before it is read.
  raw.once('resume', () =>
    raw.on('data', ({ length }: Buffer) => {
      ahead -= length;
      if (ahead >= 0 || reply.sent) return;
      try {
        allowance.add(-ahead);
        ahead = 0;
      } catch (error) {
        reply.header('connection', 'close').send(error);
      }
    }),
  );
}

const DESCRIPTION = {
  title: 'cofactor',
  version: VERSION,
  description: 'Recommendations, and their models by the Open Inference Protocol, version 2.',
};

function observe(app: FastifyInstance, connections: Connections, { metrics, logLevel }: Shared): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, raw, routeOptions, allowance } = request;
    connections.end(raw.socket, allowance);
    // Not the path, because it contains ids.
    const route = routeOptions.url ?? 'none';
    const status = reply.statusCode;
    const seconds = reply.elapsedTime / 1000;
    metrics.requests.observe({ method, route, status }, seconds);
    if (!WATCHING.test(route)) metrics.lastHour.add(status >= 400);
    // A log of all that is refused would grow fastest when there is most to do.
    if (status === 500 || logLevel === 'debug') {
      const line = { method, route, status, seconds: Number(seconds.toFixed(6)) };
      request.log[status === 500 ? 'warn' : 'debug'](line, 'answered');
    }
    done();
  });
}

const BODY_TYPES = /^application\/(json|octet-stream)\s*(;|$)/i;

function checkHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers, raw }, _, done) =>
    done(
      headers.host === undefined && raw.httpVersion === '1.1'
        ? badRequest('there is no host header')
        : undefined,
    ),
  );
  // Not for all requests, because other methods of the route, and other paths, have answers of their own.
  app.addHook('onRoute', (route) => {
    if (route.method !== 'POST') return;
    const check: onRequestHookHandler = (request, _, done) => done(bodyProblem(request));
    route.onRequest = [check, route.onRequest ?? []].flat();
  });
}

/** What is wrong with the headers of a body. A web page of another origin may only send types that are refused here. */
function bodyProblem({ headers, routeOptions }: FastifyRequest): HttpError | undefined {
  const { origin, 'content-encoding': encoding, 'content-type': type } = headers;
  if (encoding !== undefined && encoding !== 'identity')
    return new HttpError(415, `content-encoding ${encoding} is not supported; send the body without it`);
  if (type !== undefined && BODY_TYPES.test(type)) return;
  // Triton's client sends no type. A web page may do so, too, but then its browser sends an origin.
  if (type === undefined && origin === undefined && routeOptions.url?.startsWith('/v2/')) return;
  const fault = type === undefined ? 'there is no content-type' : `content-type ${type} is not supported`;
  return new HttpError(415, `${fault}; send application/json`);
}

function readBodies(app: FastifyInstance): void {
  app.decorateRequest('binary');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    const header = request.headers['inference-header-content-length'];
    const length = header === undefined ? body.length : Number(header);
    if (!Number.isInteger(length) || length < 0 || length > body.length)
      throw badRequest(`inference-header-content-length is ${header}, but the body has ${body.length} bytes`);
    request.allowance.add(BYTES_PER_BYTE * body.length);
    request.binary = body.subarray(length);
    return length === 0 ? undefined : parseJson(body.subarray(0, length));
  });
}

function validate(app: FastifyInstance): void {
  // Paths and queries are text, so their values are converted. Values in JSON must have the right type.
  const [texts, values] = [true, false].map((coerceTypes) => new Ajv({ coerceTypes, useDefaults: true }));
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? values : texts).compile(schema));
  app.setSchemaErrorFormatter(([error], part) => badRequest(inWords(error, part)));
}

const PARTS: Readonly<Record<string, string>> = {
  body: 'the body',
  querystring: 'the query',
  params: 'the path',
};
const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  object: 'a JSON object',
  string: 'a text',
};

/** What a part of a request breaks of its schema: `ratings.0.item must be a text`. */
function inWords(
  { instancePath, keyword, message, params }: FastifySchemaValidationError,
  part: string,
): string {
  const what = instancePath === '' ? PARTS[part] : instancePath.slice(1).replaceAll('/', '.');
  switch (keyword) {
    case 'type':
      return `${what} must be ${TYPES[String(params.type)]}`;
    case 'required':
      return `${what} has no ${params.missingProperty}`;
    case 'additionalProperties':
      return `${what} must not have ${params.additionalProperty}`;
    case 'minimum':
      return `${what} must be at least ${params.limit}`;
    case 'maximum':
      return `${what} must be at most ${params.limit}`;
    case 'maxItems':
      return `${what} must have at most ${params.limit} entries`;
    default:
      return `${what} ${message}`;
  }
}

const MOST_CHARACTERS = 400;

const bodyOf = ({ message }: Error): { error: string } => {
  const line = oneLine(message);
  return { error: line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line };
};

const FAILED = 'the server failed; see its log';
const NOTHING = 'there is nothing at this path; /openapi.json lists all paths';

function answerErrors(app: FastifyInstance, { busy, onRefusal }: Metrics): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof WorkerError) request.log.warn(error.message);
    if (error instanceof BusyError) {
      busy.inc({ lack: error.lack });
      if (error.lack === 'disk') request.log.error(error.message);
    }
    if (error instanceof QueueFullError) busy.inc({ lack: 'turns' });
    const isBusy =
      error instanceof BusyError || error instanceof QueueFullError || error instanceof WorkerError;
    const status = isBusy ? 503 : error instanceof UserError ? 400 : (error.statusCode ?? 500);
    const isKnown = isBusy || status < 500 || error instanceof HttpError;
    onRefusal(status, isKnown ? bodyOf(error).error : FAILED);
    if (isBusy) return reply.code(503).header('retry-after', '1').send(bodyOf(error));
    if (isKnown) return reply.code(status).send(bodyOf(error));
    request.log.error(error);
    return reply.code(500).send({ error: FAILED });
  });
  app.setNotFoundHandler((_, reply) => {
    onRefusal(404, NOTHING);
    return reply.code(404).send({ error: NOTHING });
  });
}

/** Answers other methods of existing routes with 405 and the allowed methods. */
function refuseOtherMethods(app: FastifyInstance, methods: ReadonlyMap<string, readonly string[]>): void {
  for (const [url, allowed] of methods) {
    app.route({
      method: app.supportedMethods.filter((method) => !allowed.includes(method)),
      url,
      schema: { hide: true },
      onRequest: async (request, reply) => {
        reply.header('allow', allowed.join(', '));
        throw new HttpError(405, `${request.method} is not allowed here; use ${allowed.join(' or ')}`);
      },
      handler: async () => undefined,
    });
  }
}

/** Answers requests that Node's HTTP parser cannot read, or that time out. */
function answerBroken(error: Error & { code?: string }, socket: Socket): void {
  const [status, message] = {
    HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too long'],
    ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to arrive'],
  }[error.code ?? ''] ?? ['400 Bad Request', 'this is not HTTP'];
  if (socket.writable) {
    const body = JSON.stringify({ error: message });
    const headers = ['Connection: close', 'Content-Type: application/json', `Content-Length: ${body.length}`];
    socket.write(`HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}
