import { GraphError } from './value.ts';

/**
 * How a field of a message may stand in the bytes: once as a number (`int`, `float`) or as bytes (`bytes`); or many times,
 * as bytes that are kept (`many`) or only counted (`counted`), or as whole numbers, packed or not (`ints`).
 */
type Kind = 'int' | 'float' | 'bytes' | 'many' | 'counted' | 'ints';

/** The fields that a message may have, by number: the name and the kind, or why there must be none. */
export type Message = Readonly<Record<number, readonly [name: string, kind: Kind] | string>>;

/** The fields of a message by name. */
export type Parts = ReadonlyMap<string, Part>;

interface Part {
  /** Bytes of the field, once or many times. */
  readonly bytes: Uint8Array[];
  /** Numbers; of `ints` the first ones alone. */
  readonly numbers: number[];
  /** How many bytes or numbers there are, with those that are not kept. */
  count: number;
}

const WIRE_TYPES: Readonly<Record<Kind, readonly number[]>> = {
  int: [0],
  float: [5],
  bytes: [2],
  many: [2],
  counted: [2],
  ints: [0, 2],
};

/** More axes than any tensor has. */
const KEPT_NUMBERS = 64;

/** More than a model has by far, and little enough to hold. */
const MOST_FIELDS = 100_000;

/**
 * Reads messages of protobuf's wire format strictly: only known fields, each in its form, and what must stand once stands
 * once. Large lists are counted but not kept, so that memory does not depend on what the bytes say.
 */
export class WireReader {
  private fields = 0;

  /**
   * @param where what the message is, for messages of errors
   * @throws GraphError for any other field or form, and for bytes that end too early
   */
  read(bytes: Uint8Array, message: Message, where: string): Parts {
    const parts = new Map<string, Part>();
    const cursor = new Cursor(bytes, where);
    while (!cursor.done) {
      const tag = cursor.varint(5);
      const number = Math.floor(tag / 8);
      const known = message[number];
      if (typeof known === 'string') throw new GraphError(`${where} has ${known}`);
      if (!known) throw new GraphError(`${where} has an unknown field, number ${number}`);
      const [name, kind] = known;
      if (!WIRE_TYPES[kind].includes(tag % 8)) throw new GraphError(`${where} has a broken field "${name}"`);
      const part = parts.get(name) ?? { bytes: [], numbers: [], count: 0 };
      const isOnce = kind === 'int' || kind === 'float' || kind === 'bytes';
      if (isOnce && parts.has(name)) throw new GraphError(`${where} has the field "${name}" twice`);
      parts.set(name, part);
      this.take(cursor, { part, kind, wireType: tag % 8 });
    }
    return parts;
  }

  private take(
    cursor: Cursor,
    { part, kind, wireType }: { readonly part: Part; readonly kind: Kind; readonly wireType: number },
  ): void {
    part.count++;
    if (kind === 'counted') return void cursor.bytes(cursor.varint());
    if (kind === 'float') return void cursor.bytes(4);
    if (kind === 'ints') {
      if (wireType === 0) keep(part, cursor.varint());
      else {
        const packed = new Cursor(cursor.bytes(cursor.varint()), cursor.where);
        for (part.count--; !packed.done; part.count++) keep(part, packed.varint());
      }
      return;
    }
    if (++this.fields > MOST_FIELDS)
      throw new GraphError(`there are more than ${MOST_FIELDS} parts, many more than any model has`);
    if (kind === 'int') part.numbers.push(cursor.varint());
    else part.bytes.push(cursor.bytes(cursor.varint()));
  }
}

function keep({ numbers }: Part, value: number): void {
  if (numbers.length < KEPT_NUMBERS) numbers.push(value);
}

/** A place in some bytes, which it never leaves. */
class Cursor {
  private at = 0;

  constructor(
    private readonly data: Uint8Array,
    readonly where: string,
  ) {}

  get done(): boolean {
    return this.at === this.data.length;
  }

  /** A whole number of 64 bits with a sign. It is exact up to 2⁵³, and beyond it has the right sign and size. */
  varint(most = 10): number {
    const start = this.at;
    let low = 0;
    for (let place = 0; place < most; place++) {
      if (this.done) break;
      const byte = this.data[this.at++];
      if (place < 4) low += (byte & 127) * 2 ** (7 * place);
      if (byte > 127) continue;
      return place < 4 ? low : this.long(start);
    }
    throw this.cut();
  }

  private long(start: number): number {
    let value = 0n;
    for (let at = this.at - 1; at >= start; at--) value = (value << 7n) | BigInt(this.data[at] & 127);
    return Number(BigInt.asIntN(64, value));
  }

  bytes(length: number): Uint8Array {
    if (length < 0 || length > this.data.length - this.at) throw this.cut();
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  private cut(): GraphError {
    return new GraphError(`${this.where} is cut off or broken`);
  }
}
