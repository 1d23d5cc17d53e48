import { type RandomGenerator, uniform } from '../../src/util/random.ts';

// Ways to spoil a file, each at random.

const below = (random: RandomGenerator, end: number): number => Math.floor(uniform(random) * end);
const one = <T>(random: RandomGenerator, all: readonly T[]): T => all[below(random, all.length)];

/** Much of what holds a file together stands at its ends. */
function placeIn({ length }: Uint8Array, random: RandomGenerator): number {
  const part = uniform(random);
  return Math.floor(length * one(random, [part, part * 0.03, 1 - part * 0.03]));
}

/** Texts that a reader may stumble over. */
const ODD = [
  ...['1e999', '-1e999', '9'.repeat(400), '0x10', 'NaN', '-0', '1,5', '1_000', '٣', '½', 'null', 'true'],
  ...[
    '"',
    "'",
    '""',
    '\\',
    '\r',
    '\n\n\n',
    '\0',
    '\ufeff',
    '\u2028',
    '\u202e',
    '\x1b[2J',
    '=1+1',
    '{',
    '[',
    ']]',
    '}',
  ],
  ...[
    '{"a":'.repeat(5000),
    '['.repeat(100_000),
    'a'.repeat(2_000_000),
    '"'.repeat(1_000_001),
    ','.repeat(500_000),
  ],
  ...[
    '__proto__',
    'constructor',
    ';',
    '\t',
    '|',
    '\xff\xfe',
    'user,item,rating\n',
    '9007199254740993',
    '1e-400',
  ],
];

type Spoiler = (bytes: Buffer, random: RandomGenerator) => Buffer;

const splice = (bytes: Buffer, at: number, gone: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);

/** A chunk of some bytes, often few and sometimes many. */
const some = (bytes: Buffer, random: RandomGenerator): number =>
  Math.ceil(one(random, [8, 64, 1024, bytes.length / 3]) * uniform(random)) || 1;

export const SPOILERS: Readonly<Record<string, Spoiler>> = {
  bits(bytes, random) {
    const copy = Buffer.from(bytes);
    for (let times = one(random, [1, 3, 30]); times > 0; times--)
      copy[Math.min(copy.length - 1, placeIn(copy, random))] ^= 1 << below(random, 8);
    return copy;
  },
  cut: (bytes, random) => bytes.subarray(0, placeIn(bytes, random)),
  'without its start': (bytes, random) => bytes.subarray(placeIn(bytes, random)),
  'a hole': (bytes, random) => splice(bytes, placeIn(bytes, random), some(bytes, random), Buffer.alloc(0)),
  'a part twice'(bytes, random) {
    const [at, length] = [placeIn(bytes, random), some(bytes, random)];
    return splice(bytes, placeIn(bytes, random), 0, bytes.subarray(at, at + length));
  },
  zeros(bytes, random) {
    const length = some(bytes, random);
    return splice(bytes, placeIn(bytes, random), length, Buffer.alloc(length));
  },
  noise(bytes, random) {
    const noise = Buffer.from(
      Array.from({ length: Math.min(5000, some(bytes, random)) }, () => below(random, 256)),
    );
    return splice(bytes, placeIn(bytes, random), noise.length, noise);
  },
  'an odd text': (bytes, random) =>
    splice(bytes, placeIn(bytes, random), one(random, [0, 0, 1, 5]), Buffer.from(one(random, ODD))),
  'an odd number'(bytes, random) {
    const text = bytes.toString('latin1');
    const numbers = [...text.matchAll(/\d+(\.\d+)?/g)];
    if (numbers.length === 0) return Buffer.from(one(random, ODD));
    const [number] = [one(random, numbers)];
    return splice(bytes, number.index, number[0].length, Buffer.from(one(random, ODD.slice(0, 12))));
  },
};

const VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    1e308,
    -1e308,
    '',
    'x',
    'x'.repeat(100_000),
    '__proto__',
    '../../x',
    '\x1b[2J',
  ],
  ...[[], {}, [[]], [null], [1, 'a'], { a: 1 }, Array(2000).fill(0), '1', 'NaN'],
];

/** The same JSON, with another value at a random place, or one that is left out or stands twice. */
export function spoilJson(bytes: Buffer, random: RandomGenerator): Buffer {
  const root = { root: JSON.parse(bytes.toString('utf8')) };
  const places: [Record<string, unknown>, string][] = [];
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    // Of long lists some entries do.
    for (const key of Object.keys(value).slice(0, 20)) {
      places.push([value as Record<string, unknown>, key]);
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(root);
  const [parent, key] = one(random, places);
  if (Array.isArray(parent) && uniform(random) < 0.3) parent.push(...parent.slice(0, 1 + below(random, 3)));
  else if (uniform(random) < 0.2) delete parent[key];
  else parent[key] = one(random, VALUES);
  return Buffer.from(JSON.stringify(root.root) ?? '');
}

/** A spoilt file, and how it was spoilt. */
export function spoil(
  bytes: Buffer,
  isJson: boolean,
  random: RandomGenerator,
): { how: string; bytes: Buffer } {
  if (isJson && uniform(random) < 0.6) return { how: 'another value', bytes: spoilJson(bytes, random) };
  const how = one(random, Object.keys(SPOILERS));
  return { how, bytes: SPOILERS[how](bytes, random) };
}
