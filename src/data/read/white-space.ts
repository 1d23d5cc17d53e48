// White space in UTF-8, as `String.prototype.trim` knows it.

/** Number of bytes of the white space at `at`; 0 for another character. */
function spaceAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte <= 32) return byte === 32 || (byte >= 9 && byte <= 13) ? 1 : 0;
  if (byte < 0xc2) return 0;
  const second = bytes[at + 1];
  const third = bytes[at + 2];
  if (byte === 0xc2) return second === 0xa0 ? 2 : 0;
  if (byte === 0xe1) return second === 0x9a && third === 0x80 ? 3 : 0;
  if (byte === 0xe3) return second === 0x80 && third === 0x80 ? 3 : 0;
  if (byte === 0xef) return second === 0xbb && third === 0xbf ? 3 : 0;
  if (byte !== 0xe2) return 0;
  // U+2000 to U+200A, U+2028, U+2029, U+202F and U+205F.
  if (second === 0x80) return third <= 0x8a || third === 0xa8 || third === 0xa9 || third === 0xaf ? 3 : 0;
  return second === 0x81 && third === 0x9f ? 3 : 0;
}

/** Where a field starts after white space. */
export function spaceAfter(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const length = spaceAt(bytes, at);
    if (length === 0) break;
    at += length;
  }
  return Math.min(at, end);
}

/** Where a field ends before white space. */
export function spaceBefore(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start) {
    // The first byte of the last character.
    let first = at - 1;
    while (first > start && (bytes[first] & 0xc0) === 0x80) first--;
    if (spaceAt(bytes, first) !== at - first) break;
    at = first;
  }
  return at;
}
