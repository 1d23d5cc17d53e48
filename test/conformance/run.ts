// Runs a golden set by every runtime that can be had here, and prints a table of how far each is from
// onnxruntime-node, or JSON.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { GoldenCase, Runtime } from './cases.ts';
import { agrees, compare, type Verdict, worse } from './compare.ts';
import { readGolden } from './golden.ts';
import { complaintsOf, isBeyond, runtimes } from './runtimes.ts';
import { makeGoldenSet } from './sets.ts';

interface Row {
  readonly name: string;
  /** Verdicts by head; none where there is a problem. */
  readonly heads: Readonly<Record<string, Verdict>>;
  /** What the runtime gets wrong with any file. */
  readonly limits?: readonly string[];
  readonly problem?: string;
}

// For the runtimes of all languages.
process.env.ORT_DISABLE_TELEMETRY = '1';
const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

const folder = await mkdtemp(join(tmpdir(), 'cofactor-conformance-'));
try {
  await makeGoldenSet(folder);
  const golden = await readGolden(folder);
  const checker = await check(folder);
  const rows: Row[] = [];
  for (const runtime of runtimes) rows.push(await rowOf(runtime, folder, golden));
  console.log(
    options.json ? JSON.stringify({ checker, rows }, null, 2) : `${table(rows)}\n\n${checker.text}`,
  );
  if (!checker.ok || !rows.every(({ heads, problem }) => !problem && Object.values(heads).every(agrees)))
    process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** What ONNX's checker says of the files. */
async function check(folder: string): Promise<{ readonly ok: boolean; readonly text: string }> {
  try {
    const { version, complaints } = await complaintsOf(folder);
    const found = Object.entries(complaints).flatMap(([model, complaint]) =>
      complaint === null ? [] : [`${model}: ${complaint}`],
    );
    return {
      ok: found.length === 0,
      text: `onnx.checker ${version}: ${found.join('\n') || 'finds nothing'}`,
    };
  } catch (error) {
    return { ok: false, text: `onnx.checker: ${(error as Error).message}` };
  }
}

async function rowOf(runtime: Runtime, folder: string, golden: readonly GoldenCase[]): Promise<Row> {
  const { name, limits = {} } = runtime;
  try {
    await runtime.fetch();
  } catch (error) {
    return { name, heads: {}, problem: `untested: ${(error as Error).message}` };
  }
  try {
    const report = await runtime.run(folder);
    const verdicts = Object.entries(compare(golden, report)).filter(([model]) => !isBeyond(runtime, model));
    return {
      name: `${report.runtime} ${report.version}`,
      heads: byHead(verdicts),
      limits: Object.values(limits),
    };
  } catch (error) {
    return { name, heads: {}, problem: (error as Error).message };
  }
}

/** The worst verdict on the files of each name. */
function byHead(verdicts: Iterable<readonly [model: string, verdict: Verdict]>): Record<string, Verdict> {
  const heads: Record<string, Verdict> = {};
  for (const [model, { problem, ...verdict }] of verdicts) {
    const head = basename(model);
    const found = { ...verdict, problem: problem && `${model}: ${problem}` };
    heads[head] = heads[head] ? worse(heads[head], found) : found;
  }
  return heads;
}

/** Markdown. */
function table(rows: readonly Row[]): string {
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row.heads)))];
  const lines = [
    ['', ...heads],
    ['---', ...heads.map(() => '---')],
    ...rows.map(({ name, heads: verdicts, problem }) => [
      name,
      ...(problem ? [oneLine(problem)] : heads.map((head) => cell(verdicts[head]))),
    ]),
  ];
  const notes = rows.flatMap(({ name, limits = [] }) => limits.map((limit) => `- ${name} ${limit}.`));
  return [...lines.map((cells) => `| ${cells.join(' | ')} |`), '', ...notes].join('\n');
}

function cell({ difference, swaps, problem }: Verdict): string {
  if (problem) return oneLine(problem);
  const largest = difference === 0 ? '0' : difference.toExponential(1);
  return swaps ? `${largest}, ${swaps} near ties` : largest;
}

const oneLine = (text: string): string => text.replace(/[|\n]+/g, ' ');
