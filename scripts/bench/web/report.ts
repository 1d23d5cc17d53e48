import { basename } from 'node:path';
import { markdownTable } from '../table.ts';
import type { AskingRow, EqualityRow } from './asking.ts';
import type { Size } from './bundles.ts';
import type { TrainingRow } from './training.ts';
import type { Visit } from './visit.ts';

export interface Results {
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly node: string;
    readonly chromium: string;
    readonly load: number;
  };
  readonly file: string;
  readonly training?: readonly TrainingRow[];
  readonly asking?: readonly AskingRow[];
  readonly equality?: readonly EqualityRow[];
  readonly visit?: Visit;
  readonly sizes: readonly Size[];
}

/** All results as tables in Markdown. */
export function reportOf({ machine, file, training, asking, equality, visit, sizes }: Results): string {
  const { cores, processor, node, chromium, load } = machine;
  return [
    `${cores} cores, ${processor}, Node ${node}, Chromium ${chromium}, load ${load.toFixed(1)}; ${basename(file)}`,
    ...(training ? [trainingTable(training)] : []),
    sizeTable(sizes),
    ...(asking ? [askingTable(asking)] : []),
    ...(visit ? [visitTable(visit)] : []),
    ...(equality ? [equalityTable(equality)] : []),
  ].join('\n\n');
}

const decimals = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '';
const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);

function trainingTable(rows: readonly TrainingRow[]): string {
  const inNode = (model: string) => rows.find((row) => row.model === model && row.where === 'Node');
  return table(
    ['training', 'where', 'training, s', 'all, s', 'RMSE', 'page / Node', 'RMSE, page − Node'],
    rows.map((row) => {
      const other = inNode(row.model);
      const compared = row.where === 'page' && other !== undefined;
      return [
        row.model,
        row.where,
        decimals(row.seconds, 2),
        decimals(row.whole, 2),
        decimals(row.rmse, 5),
        compared ? decimals(row.seconds / other.seconds, 2) : '',
        compared ? (row.rmse - other.rmse).toExponential(1) : '',
      ];
    }),
  );
}

function sizeTable(sizes: readonly Size[]): string {
  return table(
    ['size', 'minified, kB', 'gzip, kB'],
    sizes.map(({ name, minified, gzip }) => [name, kilobytes(minified), kilobytes(gzip)]),
  );
}

function askingTable(rows: readonly AskingRow[]): string {
  return table(
    ['10 of 9,724 items', 'where', 'load, ms', 'first call, ms', 'median, ms'],
    rows.map(({ head, where, load, first, median }) => [
      head === 'fold-in' ? 'fold-in of 20 ratings' : 'recommend, one user',
      where,
      decimals(load, 0),
      decimals(first, 1),
      decimals(median, 2),
    ]),
  );
}

function visitTable({ first, second, fetched }: Visit): string {
  const sum = (key: 'bytes' | 'gzip') => fetched.reduce((total, row) => total + row[key], 0);
  const all = { what: 'all', files: fetched.reduce((total, { files }) => total + files, 0) };
  const rows = [...fetched, { ...all, bytes: sum('bytes'), gzip: sum('gzip') }];
  return [
    `From navigation to the first recommendation: ${first.toFixed(0)} ms; on the second visit ${second.toFixed(0)} ms.`,
    table(
      ['fetched until then', 'files', 'kB', 'gzip, kB'],
      rows.map(({ what, files, bytes, gzip }) => [what, `${files}`, kilobytes(bytes), kilobytes(gzip)]),
    ),
  ].join('\n\n');
}

function equalityTable(rows: readonly EqualityRow[]): string {
  return table(
    ['page and Node, from the same bytes', 'pairs', 'largest difference'],
    rows.map(({ model, pairs, largestDifference }) => [
      model,
      `${pairs}`,
      largestDifference.toExponential(1),
    ]),
  );
}

/** Markdown; columns of numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumber = head.map((_, column) => rows.every((row) => /^[-\d.e+]*$/.test(row[column])));
  return markdownTable([head, ...rows], (column) => isNumber[column]);
}
