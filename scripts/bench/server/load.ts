/** The servers that the benchmarks measure, and what they are sent. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Request } from 'autocannon';

export const CONNECTIONS = [1, 16, 64];

export interface Running {
  readonly url: string;
  stop(): Promise<unknown>;
}

/** Starts a server as a process of its own. */
export async function start(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([once(child.stdout, 'data'), ended]);
  const url = /http:\S+(?=:\s)/.exec(String(line))?.[0];
  if (!url) throw new Error(`${args.join(' ')} does not start`);
  return {
    url,
    stop: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

const SAMPLE = new URL('../../../src/data/sample/ml-latest-small/ratings.csv.gz', import.meta.url);

const json = { 'content-type': 'application/json' };
const post = (path: string, body: object): Request => ({
  method: 'POST',
  path,
  headers: json,
  body: JSON.stringify(body),
});
const texts = (name: string, data: string[]) => ({ name, datatype: 'BYTES', shape: [data.length], data });

/**
 * Writes the sample data, trains a model if none is given, and prepares requests of each kind.
 *
 * @param program what trains the model
 */
export async function prepare(
  scratch: string,
  program: string,
  given: string | undefined,
): Promise<{ readonly model: string; readonly kinds: Readonly<Record<string, Request[]>> }> {
  const text = gunzipSync(await readFile(SAMPLE)).toString();
  const file = join(scratch, 'ratings.csv');
  await writeFile(file, text);
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const model = given ?? join(scratch, 'movies');
  if (!given) await promisify(execFile)(process.execPath, [program, 'train', file, '--out', model, '--seen']);
  const some = (column: number) => [...new Set(rows.map((row) => row[column]))].slice(0, 500);
  return { model, kinds: kindsOf(basename(model), some(0), some(1)) };
}

function kindsOf(name: string, users: readonly string[], items: readonly string[]) {
  const item = (index: number): string => items[index % items.length];
  return {
    'GET /v2': [{ path: '/v2' }],
    'GET /recommend/{user}': users.map((user) => ({ path: `/recommend/${user}` })),
    'GET /similar/{item}': items.map((one) => ({ path: `/similar/${one}` })),
    'POST /recommend, 20 ratings': users.map((_, index) =>
      post('/recommend', {
        ratings: Array.from({ length: 20 }, (_, row) => ({ item: item(index + row), rating: 1 + (row % 5) })),
      }),
    ),
    'POST …predict/infer, 10 pairs': users.map((user, index) =>
      post(`/v2/models/${name}.predict/infer`, {
        inputs: [
          texts('user', Array(10).fill(user)),
          texts('item', items.slice(index % 400, (index % 400) + 10)),
        ],
      }),
    ),
  };
}
