import { hash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { option, UserError } from '../errors.ts';
import type { Expected, OptionTable } from '../util/options.ts';
import * as expected from '../util/options.ts';
import { HttpError } from './errors.ts';

/** Who may ask the server. */
export interface AccessOptions {
  /**
   * Names for which the server answers, beside `localhost` and its own address. On loopback it answers for no others,
   * so that a web page cannot reach it under a name of its own. On other addresses it answers for all names by default.
   */
  readonly allowHosts?: readonly string[] | undefined;
  /** Origins whose web pages may ask, such as `https://example.com`, or `*`. Default: only the server's own page */
  readonly cors?: readonly string[] | undefined;
  /** File with a token, which every request must then have, as `authorization: Bearer TOKEN`. */
  readonly tokenFile?: string | undefined;
  /** Asks for the token at `/v2/health/` and `/metrics`, too. @default false */
  readonly protectAll?: boolean | undefined;
}

export const hostName: Expected = {
  fits: (name) => typeof name === 'string' && (isIPv6(name) || /^[\w.-]+$|^\[[\da-f:.]+\]$/i.test(name)),
  give: 'a host name or an address, without scheme and port',
};

export const origin: Expected = {
  fits: (text) => text === '*' || (typeof text === 'string' && isOrigin(text)),
  give: 'an origin as browsers send it, such as https://example.com, or *',
};

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/.test(text)) return false;
  // A URL has no origin if its scheme is not of the web, such as that of an app.
  const { origin } = URL.canParse(text) ? new URL(text) : { origin: '' };
  return origin === text || origin === 'null';
}

const listOf = ({ fits }: Expected, give: string): Expected => ({
  fits: (list) => Array.isArray(list) && list.every(fits),
  give: `a list: ${give}`,
});

export const ACCESS_OPTIONS: OptionTable<AccessOptions> = {
  allowHosts: listOf(hostName, 'host names or addresses, without scheme and port'),
  cors: listOf(origin, 'origins as browsers send them, such as https://example.com, or *'),
  tokenFile: expected.path,
  protectAll: expected.flag,
};

/**
 * Adds the checks of who asks, which come before the body of a request is read.
 *
 * @param host name or address on which the server is told to listen
 */
export async function checkAccess(
  app: FastifyInstance,
  host: string,
  { allowHosts = [], cors = [], tokenFile, protectAll = false }: AccessOptions,
): Promise<void> {
  if (protectAll && tokenFile === undefined)
    throw new UserError('argument', `${option('protectAll')} needs ${option('tokenFile')}`);
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
  checkHosts(app, host, allowHosts);
  if (cors.length > 0) allowOrigins(app, new Set(cors));
  if (token !== undefined) checkToken(app, token, protectAll);
  else app.addHook('onListen', async () => sayOpen(app));
}

/** The requests that a browser sends before one of another origin; it sends no token with them. */
const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' &&
  headers.origin !== undefined &&
  headers['access-control-request-method'] !== undefined;

const addressOf = ({ server }: FastifyInstance): string => (server.address() as AddressInfo).address;

const isLoopback = (address: string): boolean => /^(::ffff:)?127\.|^::1$/.test(address);

function sayOpen(app: FastifyInstance): void {
  const address = addressOf(app);
  if (!isLoopback(address))
    app.log.warn({ address }, 'everyone who can reach this address may ask; --token-file asks for a token');
}

/** A host as it is in a header, without port and final dot, in lower case, and with brackets around IPv6. */
const plainHost = (text: string): string =>
  (isIPv6(text) ? `[${text}]` : text.replace(/:\d*$/, '').replace(/\.$/, '')).toLowerCase();

const MOST_SHOWN = 100;

/** Refuses requests for other hosts, if there are any. On loopback a web page could otherwise make its own name lead here. */
function checkHosts(app: FastifyInstance, host: string, allowHosts: readonly string[]): void {
  /** Undefined before the first request, because the address is known when the server listens. */
  let allowed: ReadonlySet<string> | 'all' | undefined;
  const findAllowed = (): ReadonlySet<string> | 'all' => {
    const address = addressOf(app);
    if (allowHosts.length === 0 && !isLoopback(address)) return 'all';
    return new Set(['localhost', '127.0.0.1', '[::1]', ...[host, address, ...allowHosts].map(plainHost)]);
  };
  /** The last one that was allowed: most requests have the same. */
  let last: string | undefined;
  app.addHook('onRequest', ({ headers, raw }, _, done) => {
    // Only HTTP/1.0 may leave it out, which no browser sends.
    if (headers.host === undefined || headers.host === last) return done();
    allowed ??= findAllowed();
    const host = plainHost(headers.host);
    // A server on several addresses answers for that which was asked. No web page can make an address its own name.
    if (allowed === 'all' || allowed.has(host) || host === plainHost(raw.socket.localAddress ?? '')) {
      last = headers.host;
      return done();
    }
    const shown = headers.host.slice(0, MOST_SHOWN);
    done(new HttpError(421, `the host ${shown} is not this server's; --allow-host allows another`));
  });
}

const ALLOWED_HEADERS = 'content-type, authorization, inference-header-content-length';
/** Seconds for which a browser need not ask again whether it may. */
const MAX_AGE = 600;
const EXPOSED_HEADERS = 'inference-header-content-length, retry-after';

/**
 * CORS. Not by @fastify/cors, because that answers every OPTIONS with 204, or with a text of its own, and this server
 * answers those that are no preflight with 405.
 */
function allowOrigins(app: FastifyInstance, origins: ReadonlySet<string>): void {
  const all = origins.has('*');
  app.addHook('onRequest', (request, reply, done) => {
    const { origin = '' } = request.headers;
    if (!all && !origins.has(origin)) return done();
    reply.header('access-control-allow-origin', all ? '*' : origin);
    reply.header('access-control-expose-headers', EXPOSED_HEADERS);
    if (!isPreflight(request)) return done();
    reply.header('access-control-allow-methods', 'GET, HEAD, POST');
    reply.header('access-control-allow-headers', ALLOWED_HEADERS);
    reply.header('access-control-max-age', MAX_AGE);
    reply.code(204).send();
  });
  if (all) return;
  // For caches. A file of the page varies with its encoding, too.
  app.addHook('onSend', (_, reply, payload, done) => {
    const others = reply.getHeader('vary');
    reply.header('vary', others === undefined ? 'Origin' : `${others}, Origin`);
    done(null, payload);
  });
}

const MOST_BYTES = 4096;
const FEWEST_CHARACTERS = 16;

/** @throws UserError for anything but a token; it does not say what the file has */
async function readToken(path: string): Promise<string> {
  const fault = (reason: string) => new UserError('file', `${path}: ${reason} (${option('tokenFile')})`);
  let text: string;
  try {
    // Not opened before it is known to be a file, because a pipe would wait for a writer.
    const found = await stat(path);
    if (!found.isFile()) throw fault('is not a file');
    if (found.size > MOST_BYTES) throw fault('has more than 4 kB; give a file with nothing but a token');
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw fault(code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`);
  }
  if (text.length >= FEWEST_CHARACTERS && /^[!-~]+$/.test(text)) return text;
  throw fault(
    `has no token; write one line with at least ${FEWEST_CHARACTERS} printable ASCII characters, without spaces`,
  );
}

/** Routes that supervisors ask, which often cannot send a token. */
const OPEN = /^\/v2\/health\/|^\/metrics$/;

function checkToken(app: FastifyInstance, token: string, protectAll: boolean): void {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  const wanted = digest(token);
  app.addHook('onRequest', (request, reply, done) => {
    if (!protectAll && OPEN.test(request.routeOptions.url ?? '')) return done();
    const [, given = ''] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    // Of digests, so that the time tells nothing about the token, its length included.
    if (timingSafeEqual(digest(given), wanted) || isPreflight(request)) return done();
    reply.header('www-authenticate', 'Bearer');
    done(
      new HttpError(
        401,
        given === ''
          ? 'this server asks for a token; send it in the header authorization: Bearer TOKEN'
          : 'the token is not that of this server',
      ),
    );
  });
}
