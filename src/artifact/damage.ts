import { UserError } from '../errors.ts';

/** What to do about a file that was changed on its way. */
export const COPY_AGAIN = "copy the model's whole folder again";

/** Says of a file that is not what it should be that it is a page of HTML; undefined if it is not. */
export const asPage = (bytes: Uint8Array): string | undefined =>
  /^\s*<[!?a-z]/i.test(new TextDecoder().decode(bytes.subarray(0, 99)))
    ? 'is a page of HTML, which servers send for a missing file; is it in this folder?'
    : undefined;

/**
 * Reads a JSON file of a model.
 *
 * @param source its path or address, for messages
 * @param otherwise what to do about a file that is something else
 * @throws UserError that says what the file is instead
 */
export function parseJson(bytes: Uint8Array, source: string, otherwise: string): unknown {
  const text = new TextDecoder().decode(bytes).trim();
  try {
    return JSON.parse(text);
  } catch {
    const isCut = /^(\{(.*[^}])?)?$/s.test(text);
    const why = asPage(bytes) ?? (isCut ? `is cut off; ${COPY_AGAIN}` : `is not JSON; ${otherwise}`);
    throw new UserError('model', `${source}: ${why}`);
  }
}
