/** A message as one line: control characters, which a file name or a field may hold, become spaces. */
export const oneLine = (message: string): string => message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();

/**
 * A mistake in what the user gave: a file, a flag, an id. Its message is one line that says what is wrong, where,
 * and what to do; the command line prints that line alone and exits with 1. Anything else that is thrown is a bug.
 */
export class UserError extends Error {
  override name = 'UserError';

  constructor(message: string) {
    super(oneLine(message));
  }
}
