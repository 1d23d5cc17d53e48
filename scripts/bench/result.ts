/** Results of benchmarks as dated files, from which `npm run docs:tables` makes the tables of the documents. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = new URL('results/', import.meta.url);

export interface Result {
  /** The command that measures it again. */
  readonly command: string;
  readonly machine: string;
  readonly note?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface DatedResult extends Result {
  readonly date: string;
}

/** Writes `results/DATE-NAME.json`, one row per line. */
export async function writeResult(name: string, result: Result): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const { columns, rows, ...facts } = result;
  const lines = Object.entries({ date, ...facts, columns })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  const body = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  const file = new URL(`${date}-${name}.json`, folder);
  await writeFile(file, `{\n${lines.join('')}  "rows": [\n${body}\n  ]\n}\n`);
  console.error(`${fileURLToPath(file)} is written; npm run docs:tables puts it into the documents`);
}

/** Reads the newest result with this name. @throws if there is none */
export async function newestResult(name: string): Promise<DatedResult> {
  const names = (await readdir(folder)).filter((file) => file.slice('YYYY-MM-DD-'.length) === `${name}.json`);
  const newest = names.sort().at(-1);
  if (newest === undefined) throw new Error(`scripts/bench/results has no ${name}`);
  return JSON.parse(await readFile(new URL(newest, folder), 'utf8'));
}
