import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { LIMITS } from './limits.ts';

/**
 * Sends bytes, which may be in several parts. Many are sent piece by piece, as fast as the client reads, so that it shows
 * whether it reads at all.
 */
export function sendBytes(reply: FastifyReply, parts: readonly Uint8Array[]): FastifyReply {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length <= LIMITS.piece) return reply.send(parts.length === 1 ? parts[0] : Buffer.concat(parts));
  reply.header('content-length', length);
  return reply.send(Readable.from(piecesOf(parts), { objectMode: false }));
}

function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts)
    for (let from = 0; from < part.length; from += LIMITS.piece)
      yield part.subarray(from, from + LIMITS.piece);
}
