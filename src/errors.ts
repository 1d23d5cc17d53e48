/**
 * What a text from a file must not bring to a terminal, where it could change what is shown: control characters, and characters
 * that cannot be seen, such as marks of direction and tags. Line breaks and tabs may stay, and what forms its neighbours:
 * joiners, as in Persian and emoji, and variation selectors.
 */
const HIDDEN = /(?!\n|\t|\u200c|\u200d|\p{VS})[\p{Cc}\p{Zl}\p{Zp}\p{DI}\ufff9-\ufffb]/gu;

/** A text for a terminal. What must not reach it is shown as `�`. */
export const printable = (text: string): string => text.replace(HIDDEN, '�');

/** The same as one line: a line break or a tab becomes a space. */
export const lineOf = (text: string): string => printable(text.replace(/[\t-\r\x85\u2028\u2029]+/g, ' '));

/** A message as one line. */
export const oneLine = (message: string): string => lineOf(message).trim();

/** JSON for a terminal: the same value, with escapes for what must not reach it. */
export const printableJson = (json: string): string =>
  json.replace(HIDDEN, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

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

/** An option in a message, as a program writes it: `option('epochs')`, `option("encoding: 'latin-1'")`. */
export const option = (text: string): string => `${MARK}${text}${MARK}`;

/** A marked option. The mark may be in a file, too, where nothing like an option follows. */
const MARKED = /\u2063(\w+(?:: [^\u2063]*)?)\u2063/g;

/** Writes the options of a marked message: by default in backticks. */
export const withOptions = (marked: string, write = (text: string): string => `\`${text}\``): string =>
  marked.replace(MARKED, (_, text: string) => write(text));

/** One line in which nothing is marked but options. */
const onlyOptions = (message: string): string =>
  message
    .split(MARKED)
    .map((part, at) => (at % 2 === 1 ? option(lineOf(part)) : lineOf(part)))
    .join('')
    .trim();

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
    const marked = onlyOptions(message);
    super(withOptions(marked));
    this.marked = marked;
  }
}
