import { extname } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { chosenEncoding, compress, type Encoding } from './encodings.ts';

const TEXT = '; charset=utf-8';

/** What browsers must be told, for they are told not to guess; anything else is bytes. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': `text/css${TEXT}`,
  '.html': `text/html${TEXT}`,
  '.ico': 'image/x-icon',
  '.js': `text/javascript${TEXT}`,
  '.json': `application/json${TEXT}`,
  '.map': `application/json${TEXT}`,
  '.md': `text/markdown${TEXT}`,
  '.mjs': `text/javascript${TEXT}`,
  '.png': 'image/png',
  '.svg': `image/svg+xml${TEXT}`,
  '.txt': `text/plain${TEXT}`,
  '.wasm': 'application/wasm',
  '.webmanifest': `application/manifest+json${TEXT}`,
  '.woff2': 'font/woff2',
};

const BYTES = 'application/octet-stream';

/** The page runs its own scripts and WebAssembly, asks its own server, and stands in no other page. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const SAFETY = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The hash in a name such as `index-B4x_9fQz.js`. Eight small letters may be a word, and then are taken for one. */
const HASHED = /^assets\/.*-(?=[\w-]*[A-Z0-9])[\w-]{8}\.\w+$/;

export type SendFile = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/**
 * A file of a site, in memory: it is sent compressed, or not at all, where the client says that this is enough.
 *
 * @param path in the site
 * @param sha256 of the bytes
 */
export function staticFile(path: string, bytes: Uint8Array, sha256: string): SendFile {
  const type = TYPES[extname(path).toLowerCase()] ?? BYTES;
  // Compressing makes it smaller; tables of numbers and images stay what they are.
  const isCompressible = type.endsWith(TEXT) || type === 'application/wasm';
  const compressed = new Map<Encoding, Promise<Buffer>>();
  return async ({ headers }, reply) => {
    const encoding = isCompressible ? chosenEncoding(headers['accept-encoding'] as string) : undefined;
    // Other bytes, so another tag.
    const tag = `"${sha256}${encoding ? `-${encoding}` : ''}"`;
    reply.headers({
      ...SAFETY,
      etag: tag,
      'cache-control': HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(isCompressible && { vary: 'accept-encoding' }),
    });
    if (matches(headers['if-none-match'], tag)) return reply.code(304).send();
    reply.type(type);
    if (!encoding) return reply.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    // When it is first asked for.
    const body = compressed.get(encoding) ?? compress(bytes, encoding);
    compressed.set(encoding, body);
    return reply.header('content-encoding', encoding).send(await body);
  };
}

/** Whether `if-none-match` names a tag. */
function matches(header: string | undefined, tag: string): boolean {
  const tags = header?.split(',').map((one) => one.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(tag) || tags[0] === '*';
}
