import type { AskingRow, EqualityRow } from './asking.ts';
import type { Size } from './bundles.ts';
import type { TrainingRow } from './training.ts';
import type { Visit } from './visit.ts';

/** A table, with the name of its result. */
export interface Report {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note?: string;
}

const report = (name: string, columns: string[], rows: string[][], note?: string): Report => ({
  name,
  columns,
  rows,
  ...(note !== undefined && { note }),
});
const decimals = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '';
const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);

export function trainingReport(rows: readonly TrainingRow[]): Report {
  const inNode = (model: string) => rows.find((row) => row.model === model && row.where === 'Node');
  return report(
    'web-training',
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

export function sizeReport(sizes: readonly Size[]): Report {
  return report(
    'web-sizes',
    ['size', 'minified, kB', 'gzip, kB'],
    sizes.map(({ name, minified, gzip }) => [name, kilobytes(minified), kilobytes(gzip)]),
  );
}

export function askingReport(rows: readonly AskingRow[]): Report {
  return report(
    'web-asking',
    ['best 10 of 9,724 items', 'where', 'load, ms', 'first call, ms', 'median, ms'],
    rows.map(({ head, where, load, first, median }) => [
      head === 'fold-in' ? 'fold-in of 20 ratings' : 'recommend, one user',
      where,
      decimals(load, 0),
      decimals(first, 1),
      decimals(median, 2),
    ]),
  );
}

export function visitReport({ first, second, fetched }: Visit): Report {
  const sum = (key: 'bytes' | 'gzip') => fetched.reduce((total, row) => total + row[key], 0);
  const all = { what: 'all', files: fetched.reduce((total, { files }) => total + files, 0) };
  const rows = [...fetched, { ...all, bytes: sum('bytes'), gzip: sum('gzip') }];
  const note = `shown ${first.toFixed(0)} ms after navigation, ${second.toFixed(0)} ms on the second visit`;
  return report(
    'web-visit',
    ['fetched until the first recommendation', 'files', 'kB', 'gzip, kB'],
    rows.map(({ what, files, bytes, gzip }) => [what, `${files}`, kilobytes(bytes), kilobytes(gzip)]),
    note,
  );
}

export function equalityReport(rows: readonly EqualityRow[]): Report {
  return report(
    'web-equality',
    ['page and Node, from the same bytes', 'pairs', 'largest difference'],
    rows.map(({ model, pairs, largestDifference }) => [
      model,
      `${pairs}`,
      largestDifference.toExponential(1),
    ]),
  );
}
