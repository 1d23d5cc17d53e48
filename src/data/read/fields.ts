import { grown } from './ids.ts';

/** Bytes of a record's fields. */
export interface Fields {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A record made of texts. */
export class TextFields implements Fields {
  bytes = new Uint8Array(2 ** 10);
  starts = new Int32Array(6);
  ends = new Int32Array(6);

  /** The record of these texts, which is valid until the next. */
  of(texts: readonly string[]): this {
    let at = 0;
    if (texts.length > this.starts.length) {
      this.starts = new Int32Array(texts.length);
      this.ends = new Int32Array(texts.length);
    }
    for (const [index, text] of texts.entries()) {
      // A character takes at most three bytes.
      while (at + 3 * text.length > this.bytes.length) this.bytes = grown(this.bytes, 2 * this.bytes.length);
      this.starts[index] = at;
      at += encoder.encodeInto(text, this.bytes.subarray(at)).written;
      this.ends[index] = at;
    }
    return this;
  }
}

const encoder = new TextEncoder();
