import { extname } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { chosenEncoding, compress, type Encoding } from './encodings.ts';
import { sendParts } from './pieces.ts';

const TEXT = '; charset=utf-8';

/** Content types, which browsers are told not to guess. Any other file is sent as bytes. */
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

/** The page may only run its own scripts and WebAssembly and connect to its server, and must not be in a frame. */
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

/** Matches a hash in a name such as `index-B4x_9fQz.js`. Eight lower-case letters count as a word. */
const HASHED = /^assets\/.*-(?=[\w-]*[A-Z0-9])[\w-]{8}\.\w+$/;

export type SendFile = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/**
 * A file of a site, in memory. It is sent compressed if the client accepts that, and not at all if the client has it.
 *
 * @param path path in the site
 * @param sha256 SHA-256 of the bytes
 */
export function staticFile(path: string, bytes: Uint8Array, sha256: string): SendFile {
  const type = TYPES[extname(path).toLowerCase()] ?? BYTES;
  // Tables of numbers and images do not compress well.
  const isCompressible = type.endsWith(TEXT) || type === 'application/wasm';
  const compressed = new Map<Encoding, Promise<Buffer>>();
  return async ({ headers }, reply) => {
    const encoding = isCompressible ? chosenEncoding(headers['accept-encoding'] as string) : undefined;
    // Each encoding has its own tag, because its bytes differ.
    const tag = `"${sha256}${encoding ? `-${encoding}` : ''}"`;
    reply.headers({
      ...SAFETY,
      etag: tag,
      'cache-control': HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(isCompressible && { vary: 'accept-encoding' }),
    });
    if (matches(headers['if-none-match'], tag)) return reply.code(304).send();
    reply.type(type);
    if (!encoding) return sendParts(reply, [bytes]);
    // Compressed on first request.
    const body = compressed.get(encoding) ?? compress(bytes, encoding);
    compressed.set(encoding, body);
    return sendParts(reply.header('content-encoding', encoding), [await body]);
  };
}

/** Whether `if-none-match` contains a tag. */
function matches(header: string | undefined, tag: string): boolean {
  const tags = header?.split(',').map((one) => one.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(tag) || tags[0] === '*';
}
