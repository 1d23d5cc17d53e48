import { mapValues } from '../util/map-values.ts';
import { joinRows, type Parts, sliceRows } from './rows.ts';
import type { NamedParts, Signature } from './worker-messages.ts';

/** The name of the axis that runs are joined along. */
const ROWS = 'n';

/** The name of the axis of lists that are padded with '' to the longest. */
const LISTS = 'm';

/**
 * Maximum number of strings in lists of one run. One long list pads those of all other rows, and copying a string to
 * another thread takes about 0.1 µs of the main thread.
 */
const MOST_STRINGS = 2 ** 13;

export interface RunSize {
  /** Only runs with the same key may be joined. */
  readonly key: string;
  readonly rows: number;
  /** Length of the longest list. */
  readonly width: number;
}

type Metadata = Signature['inputMetadata'][number];

const axes = (metadata: Metadata): readonly (number | string)[] => (metadata.isTensor ? metadata.shape : []);

/** Joins runs of a session along the axis `n`, and splits their results. */
export class Batching {
  private constructor(
    private readonly inputs: Readonly<Record<string, Metadata>>,
    private readonly mostRows: number,
  ) {}

  /**
   * @returns undefined for a session whose runs cannot be joined: because its results do not have one row for each row of
   *   the inputs, or because their width depends on the longest list
   */
  static of({ inputMetadata, outputMetadata }: Signature, mostRows: number): Batching | undefined {
    const byRow = (metadata: Metadata): boolean => axes(metadata)[0] === ROWS;
    const alike = (metadata: Metadata): boolean => byRow(metadata) && !axes(metadata).includes(LISTS);
    if (!inputMetadata.some(byRow) || !outputMetadata.every(alike)) return undefined;
    const inputs = Object.fromEntries(inputMetadata.map((metadata) => [metadata.name, metadata]));
    return new Batching(inputs, mostRows);
  }

  /** The size of a run; undefined if its inputs are invalid, so that it must run alone and get ONNX Runtime's error. */
  size(feeds: NamedParts): RunSize | undefined {
    const counts = new Set<number>();
    const parts: string[] = [];
    let width = 0;
    for (const [name, metadata] of Object.entries(this.inputs)) {
      const feed = feeds[name];
      const [first, ...rest] = axes(metadata);
      if (feed === undefined) return undefined;
      if (first !== ROWS) {
        parts.push(`${feed.type} ${feed.dims}: ${feed.data}`);
        continue;
      }
      if (feed.dims.length !== rest.length + 1) return undefined;
      counts.add(feed.dims[0]);
      if (isLists(feed, metadata)) width = Math.max(width, feed.dims[1]);
      else parts.push(`${feed.type} ${feed.dims.slice(1)}`);
    }
    const [rows] = counts;
    return counts.size === 1 ? { key: parts.join('; '), rows, width } : undefined;
  }

  /** The size of two runs joined; undefined if they may not be joined. */
  sum(one: RunSize, other: RunSize): RunSize | undefined {
    const rows = one.rows + other.rows;
    const width = Math.max(one.width, other.width);
    const fits = one.key === other.key && rows <= this.mostRows && rows * width <= MOST_STRINGS;
    return fits ? { key: one.key, rows, width } : undefined;
  }

  /** Joins runs with the same key to one. */
  join(runs: readonly NamedParts[]): NamedParts {
    return mapValues(this.inputs, (metadata, name) => {
      const all = runs.map((feeds) => feeds[name]);
      return axes(metadata)[0] === ROWS ? joinRows(all) : all[0];
    });
  }

  /** Splits the results of a joined run into those of each run. */
  split(results: NamedParts, runs: readonly RunSize[]): NamedParts[] {
    let to = 0;
    return runs.map(({ rows }) => {
      const from = to;
      to += rows;
      return mapValues(results, (result) => sliceRows(result, from, from + rows));
    });
  }
}

const isLists = ({ type, dims }: Parts, metadata: Metadata): boolean =>
  type === 'string' && dims.length === 2 && axes(metadata)[1] === LISTS;
