import { mapValues } from '../util/map-values.ts';
import { joinRows, type Parts, sliceRows } from './rows.ts';
import type { NamedParts, Signature } from './worker-messages.ts';

/** The name of the axis that runs are joined along. */
const ROWS = 'n';

/** The name of an axis of lists of unlike length, padded with '' to the longest. */
const LISTS = 'm';

/**
 * Strings of lists in one input: one long list lengthens those of all other rows, and to copy strings from thread to
 * thread takes the main thread's time, about 0.1 µs each.
 */
const MOST_STRINGS = 2 ** 13;

export interface RunSize {
  /** Of all that must be alike. */
  readonly key: string;
  readonly rows: number;
  /** The longest list. */
  readonly width: number;
}

type Metadata = Signature['inputMetadata'][number];

const axes = (metadata: Metadata): readonly (number | string)[] => (metadata.isTensor ? metadata.shape : []);

/** How a session's runs are joined and taken apart again, as the names of its axes tell. */
export class Batching {
  private constructor(
    private readonly inputs: Readonly<Record<string, Metadata>>,
    private readonly mostRows: number,
  ) {}

  /**
   * @returns undefined for a session whose runs cannot be joined: its results are not one for each row, or as long as
   * the longest of all rows.
   */
  static of({ inputMetadata, outputMetadata }: Signature, mostRows: number): Batching | undefined {
    const byRow = (metadata: Metadata): boolean => axes(metadata)[0] === ROWS;
    const alike = (metadata: Metadata): boolean => byRow(metadata) && !axes(metadata).includes(LISTS);
    if (!inputMetadata.some(byRow) || !outputMetadata.every(alike)) return undefined;
    const inputs = Object.fromEntries(inputMetadata.map((metadata) => [metadata.name, metadata]));
    return new Batching(inputs, mostRows);
  }

  /** What decides which other runs a run may join; undefined for one that ONNX Runtime has to judge alone. */
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

  /** The size of two runs together; undefined if they may not be joined. */
  sum(one: RunSize, other: RunSize): RunSize | undefined {
    const rows = one.rows + other.rows;
    const width = Math.max(one.width, other.width);
    const fits = one.key === other.key && rows <= this.mostRows && rows * width <= MOST_STRINGS;
    return fits ? { key: one.key, rows, width } : undefined;
  }

  /** One run of the rows of all, which are of one key. */
  join(runs: readonly NamedParts[]): NamedParts {
    return mapValues(this.inputs, (metadata, name) => {
      const all = runs.map((feeds) => feeds[name]);
      return axes(metadata)[0] === ROWS ? joinRows(all) : all[0];
    });
  }

  /** The results of each run, from those of all. */
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
