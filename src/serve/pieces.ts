import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { LIMITS } from './limits.ts';

export const bytesOf = (part: string | Uint8Array): Uint8Array =>
  typeof part === 'string' ? Buffer.from(part) : part;

/**
 * Sends texts or bytes one after the other. Many bytes are sent piece by piece, as fast as the client reads, so that it shows
 * whether it reads at all.
 */
export function sendParts(reply: FastifyReply, parts: readonly (string | Uint8Array)[]): FastifyReply {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size <= LIMITS.piece && parts.every((part) => typeof part === 'string'))
    return reply.send(parts.join(''));
  const bytes = parts.map(bytesOf);
  const length = bytes.reduce((sum, part) => sum + part.length, 0);
  if (length <= LIMITS.piece) return reply.send(Buffer.concat(bytes));
  reply.header('content-length', length);
  return reply.send(Readable.from(piecesOf(bytes), { objectMode: false }));
}

function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts)
    for (let from = 0; from < part.length; from += LIMITS.piece)
      yield part.subarray(from, from + LIMITS.piece);
}
