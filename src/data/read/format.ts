import { option, UserError } from '../../errors.ts';
import { encodingOf } from './decode.ts';
import type { Part } from './part.ts';
import { nameOfFormat } from './signature.ts';

// What a file is, by its first bytes. Node's reader and the page's share it.

/** So many bytes tell what a file is. */
const ENOUGH = 4096;

export const startOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, ENOUGH);

export const isParquet = (start: Uint8Array): boolean => markOf(start) === 'PAR1';

export function compressionOf(start: Uint8Array): Part['compression'] {
  const mark = markOf(start);
  // zstd, or a frame of it that a reader skips.
  if (mark === '\x28\xb5\x2f\xfd' || (start[0] >> 4 === 5 && mark.endsWith('\x2a\x4d\x18'))) return 'zstd';
  return mark.startsWith('\x1f\x8b') ? 'gzip' : undefined;
}

const markOf = (start: Uint8Array): string => String.fromCharCode(...start.subarray(0, 4));

/** @param reason in the words of what decompresses; it may say what to do about a file that is not damaged */
export const damaged = (file: string, compression: string, { message: reason }: Error): UserError =>
  new UserError(
    'data',
    reason.includes(';')
      ? `${file}: the ${compression} file ${reason}`
      : `${file}: the ${compression} file is damaged or cut off (${reason}); fetch or compress it again`,
  );

/** @throws UserError for bytes of a format that is not read */
export function checkFormat(bytes: Uint8Array, file: string): void {
  const what = nameOfFormat(bytes, file);
  if (what !== undefined) throw new UserError('data', `${file}: is ${what}`);
}

/**
 * The encoding of a text, by its first bytes and the option.
 *
 * @param readable the formats that are read
 * @throws UserError for bytes that are no text
 */
export function textEncoding(
  bytes: Uint8Array,
  file: string,
  given: string | undefined,
  readable: string,
): string {
  checkFormat(bytes, file);
  const encoding = encodingOf(bytes, given);
  const start = startOf(bytes);
  if ((given === undefined || /^utf-?8$/i.test(given)) && !/^utf-?16/i.test(encoding) && looksBinary(start)) {
    // Of UTF-16, every other byte of most texts is 0.
    const zeros = [0, 1].map((turn) => start.filter((byte, at) => byte === 0 && at % 2 === turn).length);
    const areAll = zeros[0] + zeros[1] > (3 * start.length) / 4;
    const first = areAll
      ? undefined
      : zeros[0] > start.length / 4
        ? 'utf-16be'
        : zeros[1] > start.length / 4
          ? 'utf-16'
          : undefined;
    if (first !== undefined)
      throw new UserError(
        'data',
        `${file}: looks like UTF-16 without a byte order mark; name its encoding with ${option(`encoding: '${first}'`)}`,
      );
    throw notText(file, readable);
  }
  return encoding;
}

/** @param readable the formats that are read */
export const notText = (file: string, readable: string): UserError =>
  new UserError('data', `${file}: is not a text file; give ${readable}`);

/** Whether the first line has a control character other than white space, or more than 5 % of the bytes are such. */
export function looksBinary(bytes: Uint8Array): boolean {
  const controls = (part: Uint8Array) =>
    part.filter((byte) => byte < 32 && !(byte >= 9 && byte <= 13)).length;
  const lineEnd = bytes.indexOf(10);
  return (
    controls(lineEnd === -1 ? bytes : bytes.subarray(0, lineEnd)) > 0 ||
    (bytes.length > 500 && controls(bytes) * 20 > bytes.length)
  );
}
