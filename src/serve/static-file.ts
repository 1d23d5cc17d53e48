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

/** A file of a site, in memory. */
export class StaticFile {
  readonly type: string;
  private readonly compressed = new Map<Encoding, Promise<Buffer>>();

  /**
   * @param path in the site
   * @param sha256 of the bytes
   */
  constructor(
    private readonly path: string,
    private readonly bytes: Uint8Array,
    private readonly sha256: string,
  ) {
    this.type = TYPES[extname(path).toLowerCase()] ?? BYTES;
  }

  /** Whether compressing makes it smaller: tables of numbers and images stay what they are. */
  private get isCompressible(): boolean {
    return this.type.endsWith(TEXT) || this.type === 'application/wasm';
  }

  /** Answers a request for it: compressed, or not at all, where the client says that this is enough. */
  async send({ headers }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const encoding = this.isCompressible ? chosenEncoding(headers['accept-encoding'] as string) : undefined;
    // Other bytes, so another tag.
    const tag = `"${this.sha256}${encoding ? `-${encoding}` : ''}"`;
    reply.headers({
      ...SAFETY,
      etag: tag,
      'cache-control': HASHED.test(this.path) ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(this.isCompressible && { vary: 'accept-encoding' }),
    });
    if (matches(headers['if-none-match'], tag)) return reply.code(304).send();
    reply.type(this.type);
    if (!encoding)
      return reply.send(Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length));
    return reply.header('content-encoding', encoding).send(await this.in(encoding));
  }

  /** Compressed when it is first asked for. */
  private in(encoding: Encoding): Promise<Buffer> {
    const known = this.compressed.get(encoding) ?? compress(this.bytes, encoding);
    this.compressed.set(encoding, known);
    return known;
  }
}

/** Whether `if-none-match` names a tag. */
function matches(header: string | undefined, tag: string): boolean {
  const tags = header?.split(',').map((one) => one.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(tag) || tags[0] === '*';
}
