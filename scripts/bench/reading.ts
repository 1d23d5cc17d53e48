/** Compares reading with DuckDB's CREATE TABLE AS SELECT of the same file; see docs/benchmarks.md. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { writeSynthetic } from '../../test/support/synthetic.ts';
import { describeMachine } from './machine.ts';
import { writeResult } from './result.ts';
import { markdownTable } from './table.ts';

const RUNS = 5;
const run = promisify(execFile);
const dist = new URL('../../dist/index.js', import.meta.url).href;

/** What a process does with the file: seconds, and the most memory of the process in MB. Each run is a process of its own. */
const WORK = {
  cofactor: `const { readRatings } = await import(${JSON.stringify(dist)});
    const { ratings } = await readRatings(path, { store: true });`,
  duckdb: `const { createRequire } = await import('node:module');
    const { DuckDBInstance } = createRequire(${JSON.stringify(dist)})('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run("CREATE TABLE t AS SELECT * FROM '" + path + "'");`,
};

async function measured(work: keyof typeof WORK, path: string) {
  const script = `const path = ${JSON.stringify(path)};
    const before = performance.now();
    ${WORK[work]}
    const seconds = (performance.now() - before) / 1000;
    console.log(JSON.stringify({ seconds, memory: process.resourceUsage().maxRSS / 1000 }));
    process.exit();`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as { readonly seconds: number; readonly memory: number };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Ten million made-up ratings, in the files that are read. */
async function filesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const of = (name: string): string => join(folder, name);
  const files = {
    '10 million, Parquet': of('train.parquet'),
    '10 million, CSV of 3 columns': of('three.csv'),
    '10 million, CSV with times': of('four.csv'),
    '10 million, JSON lines': of('three.jsonl'),
    '100,000, CSV with times': of('small.csv'),
  };
  if (Object.values(files).every(existsSync)) return files;
  await mkdir(folder, { recursive: true });
  await writeSynthetic(folder, { ratings: 10e6, users: 70_000, items: 10_000 });
  await withDatabase(async (connection) => {
    const timed = `SELECT *, 900000000 + (hash("user", item) % 300000000)::INTEGER AS time FROM '${of('train.parquet')}'`;
    await connection.run(`COPY (FROM '${of('train.parquet')}') TO '${of('three.csv')}'`);
    await connection.run(`COPY (${timed}) TO '${of('four.csv')}'`);
    await connection.run(`COPY (FROM '${of('train.parquet')}') TO '${of('three.jsonl')}' (FORMAT json)`);
    await connection.run(`COPY (${timed} LIMIT 100000) TO '${of('small.csv')}'`);
  });
  return files;
}

await run(process.execPath, [fileURLToPath(new URL('../build.mjs', import.meta.url))]);
const files = await filesIn(join(tmpdir(), 'cofactor-bench-reading'));
const rows: string[][] = [];
for (const [name, path] of Object.entries(files)) {
  const times = { cofactor: [] as number[], duckdb: [] as number[] };
  let memory = 0;
  // In turns, so that what else the machine does falls on both.
  for (let turn = 0; turn < RUNS; turn++) {
    const own = await measured('cofactor', path);
    times.cofactor.push(own.seconds);
    memory = Math.max(memory, own.memory);
    times.duckdb.push((await measured('duckdb', path)).seconds);
  }
  const [own, theirs] = [median(times.cofactor), median(times.duckdb)];
  rows.push([name, own.toFixed(2), theirs.toFixed(2), (own / theirs).toFixed(1), memory.toFixed(0)]);
}
const columns = ['ratings', 'cofactor, s', 'DuckDB, s', 'ratio', 'cofactor, peak MB'];
console.log(markdownTable([columns, ...rows]));
if (process.argv.includes('--save'))
  await writeResult('reading', {
    command: 'npm run bench:reading',
    machine: describeMachine(),
    note: `medians of ${RUNS} processes each, in turns, with the loading of libraries`,
    columns,
    rows,
  });
