import { badRequest } from './errors.ts';
import { LIMITS } from './limits.ts';

/** A lone half of a surrogate pair: no character, and nothing that UTF-8 can hold. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Why a text can be no id; undefined where it can. */
export function textProblem(text: string): string | undefined {
  // ONNX Runtime in Node ends a string at its first NUL, and would take it for another.
  if (text.includes('\0')) return 'a text may not hold a NUL character';
  if (LONE_SURROGATE.test(text)) return 'a text may not hold a lone surrogate';
  return undefined;
}

/**
 * @returns what a JSON document says, all of whose numbers are what was written, and whose texts are Unicode.
 * @throws HttpError 400 otherwise
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
  // Neither a NUL nor half a pair can stand in UTF-8 JSON but as an escape.
  check(value, text.includes('\\u'), 0);
  return value;
}

function check(value: unknown, escapes: boolean, depth: number): void {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return;
    throw badRequest(`the body holds a number beyond ±(2^53 - 1), which JSON does not carry exactly`);
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
