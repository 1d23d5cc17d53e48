/** A message as one line. Control characters, which may be in names of files or fields, become spaces. */
export const oneLine = (message: string): string => message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();

/**
 * The kind of an error, for programs that handle errors:
 *
 * - `argument`: an option, a recipe, an id or a number that was given
 * - `data`: the content of a file of ratings, items or users
 * - `model`: the files of a model: missing, changed, broken, or of a newer format
 * - `file`: a file or folder that cannot be found, read or written
 * - `device`: a device, a runtime or a package that is not available
 * - `training`: a training that diverged, failed, or was stopped before the end of its first epoch
 * - `network`: a download that failed, or an address that cannot be used
 */
export type ErrorCode = 'argument' | 'data' | 'model' | 'file' | 'device' | 'training' | 'network';

/**
 * An error in something that the user gave: a file, an option, an id. Its message is one line that says what is wrong,
 * where, and what to do. The command line prints only that line, and exits with 1. Any other error is a bug.
 */
export class UserError extends Error {
  override name = 'UserError';

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(oneLine(message));
  }
}
