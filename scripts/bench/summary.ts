/** What the rows say of cofactor beside its peers. */
import { nameOf, type Row } from './measure.ts';
import type { DataSet } from './sets.ts';
import { markdownTable } from './table.ts';

const STAGES = ['import', 'read', 'build', 'train', 'process'] as const;

export interface Result {
  readonly set: DataSet;
  readonly rows: readonly Row[];
}

export function rowsTable(rows: readonly Row[]): string {
  const seconds = (value?: number): string => value?.toFixed(2) ?? '';
  return markdownTable([
    ['', 'version', 'threads', 'epochs', ...STAGES.map((stage) => `${stage}, s`), 'test RMSE', 'peak MB'],
    ...rows.map((row) => [
      row.label,
      row.version,
      `${row.threads ?? ''}`,
      `${row.epochs}`,
      ...STAGES.map((stage) => seconds(row.seconds[stage])),
      row.rmse?.toFixed(4) ?? '',
      row.peakMegabytes?.toFixed(0) ?? '',
    ]),
  ]);
}

/** Of a small set: cofactor's seconds over those of the fastest of a peer's contenders. */
export interface Ratio {
  readonly peer: string;
  readonly train: number;
  readonly process: number;
}

export function ratios({ rows }: Result): Ratio[] {
  const fastest = (label: string, stage: string): number =>
    Math.min(...rows.filter((row) => row.label.startsWith(label)).map(({ seconds }) => seconds[stage]));
  const ratio = (peer: string, stage: string): number =>
    fastest('cofactor, recipe', stage) / fastest(peer, stage);
  return ['torch, default', 'torch', 'fastai', 'libmf, PyPI', 'libmf, AVX', 'surprise']
    .map((peer) => ({ peer, train: ratio(peer, 'train'), process: ratio(peer, 'process') }))
    .filter(({ train }) => Number.isFinite(train) && train > 0);
}

export const ratiosTable = (ratios: readonly Ratio[]): string =>
  markdownTable(
    [
      ["cofactor's recipe / fastest of", 'train, s', 'process, s'],
      ...ratios.map(({ peer, train, process }) => [peer, train.toFixed(2), process.toFixed(2)]),
    ],
    (column) => column >= 1,
  );

/** Of a large set: a row of cofactor's beside each of LIBMF's. */
export interface Speed {
  readonly set: string;
  readonly name: string;
  readonly ratingsASecond: number;
  readonly against: readonly { name: string; speed: number; process: number }[];
}

export function speeds({ set, rows }: Result): Speed[] {
  const libmf = rows.filter(({ label }) => label.startsWith('libmf'));
  return rows
    .filter(({ label }) => label.startsWith('cofactor'))
    .map((row) => ({
      set: set.name,
      name: row.label,
      ratingsASecond: speed(set, row),
      against: libmf.map((other) => ({
        name: nameOf(other),
        speed: speed(set, row) / speed(set, other),
        process: row.seconds.process / other.seconds.process,
      })),
    }));
}

const speed = ({ ratings }: DataSet, { epochs, seconds }: Row): number => (ratings * epochs) / seconds.train;

export const speedsTable = (speeds: readonly Speed[]): string =>
  markdownTable([
    ['set', '', 'million ratings/s', 'beside', 'speed / its speed', 'process / its process'],
    ...speeds.flatMap(({ set, name, ratingsASecond, against }) =>
      against.map((other) => [
        set,
        name,
        millions(ratingsASecond),
        other.name,
        other.speed.toFixed(2),
        other.process.toFixed(2),
      ]),
    ),
  ]);

const millions = (ratings: number): string => (ratings / 1e6).toFixed(2);

/** How the speed of one that ran on several large sets holds up. */
export interface Flatness {
  readonly name: string;
  readonly ratingsASecond: { readonly [set: string]: number };
  /** The lowest over the highest. */
  readonly flatness: number;
}

export function flatness(results: readonly Result[]): Flatness[] {
  const all = results.flatMap(({ set, rows }) =>
    rows.map((row) => ({ set: set.name, name: nameOf(row), speed: speed(set, row) })),
  );
  return [...new Set(all.map(({ name }) => name))]
    .map((name) => all.filter((one) => one.name === name))
    .filter((ofOne) => ofOne.length > 1)
    .map((ofOne) => {
      const speeds = ofOne.map(({ speed }) => speed);
      return {
        name: ofOne[0].name,
        ratingsASecond: Object.fromEntries(ofOne.map(({ set, speed }) => [set, speed])),
        flatness: Math.min(...speeds) / Math.max(...speeds),
      };
    });
}

export function flatnessTable(results: readonly Flatness[], sets: readonly string[]): string {
  const cells = results.map(({ name, ratingsASecond, flatness }) => [
    name,
    ...sets.map((set) => (set in ratingsASecond ? millions(ratingsASecond[set]) : '')),
    flatness.toFixed(2),
  ]);
  return markdownTable(
    [['million ratings/s', ...sets, 'lowest / highest'], ...cells],
    (column) => column >= 1,
  );
}
