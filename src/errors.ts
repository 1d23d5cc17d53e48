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

/** An invisible character around each option in a message, which tells it from the user's own text in backticks. */
const MARK = '\u2063';

/** An option in a message, as a program writes it: `option('keepSeen')`, `option("encoding: 'latin-1'")`. */
export const option = (text: string): string => `${MARK}${text}${MARK}`;

/** Writes the options of a marked message: by default in backticks. */
export const withOptions = (marked: string, write = (text: string): string => `\`${text}\``): string =>
  marked.replace(/\u2063([^\u2063]*)\u2063/g, (_, text: string) => write(text));

/**
 * An error in something that the user gave: a file, an option, an id. Its message is one line that says what is wrong,
 * where, and what to do. The command line prints only that line, and exits with 1. Any other error is a bug.
 */
export class UserError extends Error {
  override name = 'UserError';

  /** The message with marked options, for `withOptions`. */
  readonly marked: string;

  /** @param message may have options in it, which `option` marks */
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    const marked = oneLine(message);
    super(withOptions(marked));
    this.marked = marked;
  }
}
