import { badRequest } from './errors.ts';
import { LIMITS } from './limits.ts';

/** A lone surrogate: it is not a character, and UTF-8 cannot encode it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The reason why a text cannot be an id; undefined if it can. */
export function textProblem(text: string): string | undefined {
  // ONNX Runtime in Node cuts a string at its first NUL, which would give another id.
  if (text.includes('\0')) return 'a text must not contain a NUL character';
  if (LONE_SURROGATE.test(text)) return 'a text must not contain a lone surrogate';
  return undefined;
}

/**
 * Parses a JSON document whose numbers JavaScript represents exactly enough, and whose texts are valid Unicode.
 *
 * @throws HttpError 400 for any other document
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('the body is not UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is not JSON: ${(error as Error).message}`);
  }
  // In UTF-8 JSON, NUL and lone surrogates must be escaped, so without escapes texts need no check.
  check(value, text.includes('\\u'), 0);
  return value;
}

function check(value: unknown, escapes: boolean, depth: number): void {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return;
    throw badRequest(`the body has a number beyond ±(2^53 - 1), which JSON does not represent exactly`);
  }
  if (typeof value === 'string') {
    const problem = escapes ? textProblem(value) : undefined;
    if (problem) throw badRequest(`the body: ${problem}`);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth === LIMITS.depth) throw badRequest(`the body is nested more than ${LIMITS.depth} levels deep`);
  for (const part of Object.values(value)) check(part, escapes, depth + 1);
}
