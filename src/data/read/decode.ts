import { option, UserError } from '../../errors.ts';
import type { Expected } from '../../util/options.ts';

/** Names of Latin-1. The Encoding Standard takes it for windows-1252, whose other characters are no Latin-1. */
const LATIN_1 = /^(latin-?1|iso-?8859-?1)$/i;

/** The encoding of a text by its first bytes and the option. */
export function encodingOf(start: Uint8Array, given: string | undefined): string {
  const [one, two] = start;
  if (given !== undefined) return given;
  return one === 0xff && two === 0xfe ? 'utf-16' : one === 0xfe && two === 0xff ? 'utf-16be' : 'utf-8';
}

/** For the name of an encoding. */
export const encodingName: Expected = {
  fits(value) {
    try {
      return LATIN_1.test(String(value)) || new TextDecoder(String(value)).encoding !== '';
    } catch {
      return false;
    }
  },
  give: 'a name of the Encoding Standard, such as utf-8, latin-1, windows-1252, utf-16 or gbk',
};

interface DecoderOptions {
  readonly file: string;
  readonly encoding: string;
  /** Whether the text goes on from elsewhere, so that it does not start with a byte order mark. */
  readonly isContinued?: boolean | undefined;
  /** Whether bytes are UTF-8. @default whether `invalidAt` finds nothing */
  readonly isUtf8?: ((bytes: Uint8Array) => boolean) | undefined;
}

/** Makes UTF-8 of the bytes of a file, in parts, and checks them. */
export class Decoder {
  private readonly decoder: TextDecoder;
  private rest: Uint8Array = new Uint8Array(0);
  private isFirst: boolean;

  constructor(private readonly options: DecoderOptions) {
    const { encoding, isContinued = false } = options;
    this.isFirst = !isContinued;
    this.decoder = new TextDecoder(LATIN_1.test(encoding) ? 'windows-1252' : encoding, { fatal: true });
  }

  /** Whether no character of UTF-8 is cut in two by the end of what was pushed. */
  get isBetweenCharacters(): boolean {
    return this.rest.length === 0;
  }

  /**
   * The bytes as UTF-8, without a byte order mark.
   *
   * @param lineAfter line number after what was pushed before and these bytes
   * @throws UserError for bytes that the encoding does not have
   */
  push(bytes: Uint8Array, isLast: boolean, lineAfter: (bytes: Uint8Array) => number): Uint8Array {
    const { file, encoding } = this.options;
    if (this.decoder.encoding === 'utf-8') return this.checked(bytes, isLast, lineAfter);
    try {
      if (LATIN_1.test(encoding) && bytes.some((byte) => byte >= 0x80 && byte < 0xa0)) throw new Error();
      // Always as a stream: Node 20 decodes windows-1252 without it as Latin-1.
      const text = this.decoder.decode(bytes, { stream: true }) + (isLast ? this.decoder.decode() : '');
      return new TextEncoder().encode(text);
    } catch {
      throw new UserError(
        'data',
        `${file}: is not ${encoding} text; name its encoding with ${option('encoding')}, or save it as UTF-8`,
      );
    }
  }

  private checked(bytes: Uint8Array, isLast: boolean, lineAfter: (bytes: Uint8Array) => number): Uint8Array {
    const { file, isUtf8 } = this.options;
    const all = joined(this.rest, bytes);
    // A character may go on in the next part.
    const end = isLast ? all.length : all.length - startOfCharacter(all);
    const whole = all.subarray(0, end);
    this.rest = all.slice(end);
    const bad = isUtf8?.(whole) ? -1 : invalidAt(whole);
    if (bad >= 0)
      throw new UserError(
        'data',
        `${file}, line ${lineAfter(whole.subarray(0, bad))}: is not UTF-8 text; name its encoding, such as ${option("encoding: 'latin-1'")}`,
      );
    const hasMark = this.isFirst && whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf;
    this.isFirst &&= whole.length === 0;
    return hasMark ? whole.subarray(3) : whole;
  }
}

export function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Number of line breaks. */
export function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = 0; at < bytes.length; at++)
    if (bytes[at] === 10 || (bytes[at] === 13 && bytes[at + 1] !== 10)) lines++;
  return lines;
}

/** Number of bytes that the character with this first byte takes; 0 for a byte that none starts with. */
const lengthOf = (first: number): number =>
  first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;

/** Number of bytes at the end that are the start of a character. */
function startOfCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) !== 0x80) return lengthOf(byte) > back ? back : 0;
  }
  return 0;
}

/** Index of the first byte that is not UTF-8; −1 if all are. */
function invalidAt(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    if (first < 0x80) {
      at++;
      continue;
    }
    const length = lengthOf(first);
    const second = bytes[at + 1];
    // Overlong forms, surrogates, and what is beyond Unicode.
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (length === 0 || !(second >= low && second <= high)) return at;
    for (let more = 2; more < length; more++)
      if ((bytes[at + more] & 0xc0) !== 0x80 || at + more >= bytes.length) return at;
    at += length;
  }
  return -1;
}
