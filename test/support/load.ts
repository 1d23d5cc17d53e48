import { type Agent, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { requests, type Sent } from '../serve/requests.ts';

/**
 * How a client goes about a request: it reads the answer as it comes, or slowly; it never reads it; it breaks the
 * connection amid its own body; or it does so when the answer begins.
 */
export type Manner = 'reads' | 'slow' | 'never reads' | 'cut in body' | 'cut in answer';

export interface Kind {
  readonly what: string;
  /** How many of 1,000 requests are of this kind. */
  readonly share: number;
  readonly manner: Manner;
  readonly requests: readonly Sent[];
}

/** How a request ended; without a status if there was no answer. */
export interface Ended {
  readonly status?: number | undefined;
  readonly retryAfter?: string | undefined;
  readonly bytes: number;
  /** The begin of the answer to a request that was refused. */
  readonly text: string;
  /** Why there was no whole answer. */
  readonly cut?: string;
}

const json = { 'content-type': 'application/json' };
const get = (path: string): Sent => ({ method: 'GET', path, headers: {} });
const post = (path: string, body: unknown, headers: Sent['headers'] = json): Sent => ({
  method: 'POST',
  path,
  headers,
  body: Buffer.from(JSON.stringify(body)),
});
const texts = (name: string, data: readonly string[]) => ({
  name,
  datatype: 'BYTES',
  shape: [data.length],
  data,
});
const count = (k: number) => ({ name: 'k', datatype: 'INT64', shape: [1], data: [k] });
const infer = (head: string) => `/v2/models/movies.${head}/infer`;

/**
 * What a server of the model `movies` is sent.
 *
 * @param users some of its users, at least 500
 * @param items some of its items, at least 3,000
 * @param pageFiles paths of the files of its web page
 */
export function loadOf(
  users: readonly string[],
  items: readonly string[],
  pageFiles: readonly string[],
): Kind[] {
  const some = (all: readonly string[], from: number, size: number) =>
    Array.from({ length: size }, (_, index) => all[(from + index) % all.length]);
  const each = (times: number, make: (index: number) => Sent): Sent[] =>
    Array.from({ length: times }, (_, index) => make(index));
  const ratings = (from: number, size: number) =>
    some(items, from, size).map((item, index) => ({ item, rating: 1 + (index % 5) }));
  /** As many answers as there may be: 27 MB of JSON. */
  const largest = each(8, (index) => {
    const binary = index % 4 === 3;
    const [head, input] =
      index % 2 === 0
        ? ['similar', texts('item', some(items, index * 100, 1000))]
        : ['recommend', texts('user', some(users, index * 100, 1000))];
    return post(infer(head), {
      inputs: [input, count(1000)],
      ...(binary && { parameters: { binary_data_output: true } }),
    });
  });
  const repeated = each(20, (index) =>
    post(infer('similar'), {
      inputs: [texts('item', some(items, index, 1 + index * 10)), count(1000)],
      outputs: Array(2 + index * 50).fill({ name: 'similar' }),
    }),
  );
  const large = each(6, (index) =>
    post(infer('predict'), {
      inputs: [texts('user', some(users, index, 20_000)), texts('item', some(items, index, 20_000))],
      id: 'x'.repeat(100_000 + 200_000 * index),
    }),
  );
  const usual = each(
    500,
    (index) =>
      [
        get(`/recommend/${users[index]}?k=${1 + (index % 100)}`),
        get(`/similar/${items[index]}`),
        post('/recommend', { ratings: ratings(index, 20) }),
        post(infer('predict'), {
          inputs: [texts('user', Array(10).fill(users[index])), texts('item', some(items, index, 10))],
        }),
        post(infer('similar'), { inputs: [texts('item', some(items, index, 10)), count(50)] }),
      ][index % 5],
  );
  const files = [
    ...pageFiles.map(get),
    ...['manifest.json', 'items.json', 'similar.onnx'].map((file) => get(`/model/${file}`)),
  ];
  const zipped = files.map((file) => ({ ...file, headers: { 'accept-encoding': 'br, gzip' } }));
  const event = (index: number) => ({
    user: users[index % users.length],
    item: items[index],
    value: 1 + (index % 5),
  });
  const feedback = each(50, (index) =>
    post(
      '/feedback',
      index % 2 ? event(index) : { events: Array.from({ length: index }, (_, row) => event(row)) },
    ),
  );
  const manyRatings = each(5, (index) => post('/recommend', { ratings: ratings(index * 100, 3000) }));
  const foreign = usual.map((sent) => ({ ...sent, headers: { ...sent.headers, host: 'attacker.example' } }));
  const kinds: [what: string, share: number, requests: readonly Sent[], manner?: Manner][] = [
    ['of all kinds', 650, fc.sample(requests, 4000)],
    ['usual', 229, usual],
    ['to the page', 20, [...files, ...zipped]],
    ['of feedback', 20, feedback],
    ['for other hosts', 20, foreign],
    ['with repeated outputs', 20, repeated],
    ['with large bodies', 10, large],
    ['with 3,000 ratings', 2, manyRatings],
    ['for the largest answers', 4, largest],
    ['read slowly', 3, [...largest, ...files], 'slow'],
    ['never read', 2, [...largest, ...files], 'never reads'],
    ['cut in their body', 10, [...large, ...usual.filter(({ body }) => body)], 'cut in body'],
    ['cut in their answer', 10, [...largest, ...usual, ...files], 'cut in answer'],
  ];
  return kinds.map(([what, share, requests, manner = 'reads']) => ({ what, share, requests, manner }));
}

/** Milliseconds between two pieces that a slow client reads, and how long another waits without reading. */
const SLOW_MS = 20;
const NEVER_MS = 3000;
const MOST_TEXT = 2000;

/** Sends a request, and reads of the answer what its manner lets it. */
export function send(url: string, agent: Agent, sent: Sent, manner: Manner): Promise<Ended> {
  const { method, path, headers, body } = sent;
  return new Promise((resolve) => {
    const length = body && { 'content-length': String(body.length) };
    const out = request(url, { agent, method, path, headers: { ...length, ...headers } });
    let bytes = 0;
    let text = '';
    let answer: Pick<Ended, 'status' | 'retryAfter'> = {};
    const end = (cut?: string): void => {
      resolve({ ...answer, bytes, text, ...(cut !== undefined && { cut }) });
      if (cut !== undefined) out.destroy();
    };
    out.on('error', ({ message }) => end(message));
    out.on('response', (response) => {
      answer = { status: response.statusCode, retryAfter: response.headers['retry-after'] };
      response.on('error', ({ message }) => end(message));
      if (manner === 'cut in answer') return end('by the client');
      if (manner === 'never reads') return void setTimeout(NEVER_MS).then(() => end('by the client'));
      response.on('end', () => end());
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (response.statusCode && response.statusCode >= 400 && text.length < MOST_TEXT) text += chunk;
        if (manner !== 'slow') return;
        response.pause();
        void setTimeout(SLOW_MS).then(() => response.resume());
      });
    });
    if (manner !== 'cut in body') return void out.end(body);
    out.write(body?.subarray(0, body.length >> 1), () => end('by the client'));
  });
}
