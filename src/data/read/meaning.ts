import type { DataKind } from '../../../graphs/models/model.ts';
import { option, UserError } from '../../errors.ts';
import { short } from '../../util/format.ts';
import { count, type OptionTable, oneOf } from '../../util/options.ts';
import { quoted } from '../../util/text.ts';
import { DUPLICATES, type Duplicates } from '../dataset/repeats.ts';
import {
  type ColumnNames,
  type ColumnOptions,
  type Columns,
  columnLabel,
  eventColumnIn,
  type WantedColumns,
} from './columns.ts';
import { type Spread, spreadOf } from './spread.ts';
import { isUnixTime, secondsOf } from './values.ts';

// What the rows of a file mean: ratings, or interactions of some strength. Node's reader and the page's share it.

export interface MeaningOptions extends Pick<ColumnOptions, 'ratingColumn' | 'countColumn' | 'eventColumn'> {
  /**
   * What the rows are. Interactions say that a user has an item, and nothing about what users dislike. Default: ratings if
   * there is a column of ratings whose values look like a scale, else interactions
   */
  kind?: DataKind | undefined;
  /** The weight of each kind of event in `eventColumn`. Default: 1 each */
  eventWeights?: Readonly<Record<string, number>> | undefined;
  /** Kinds of events after which an item is not recommended to the user again. Default: all */
  leaveOut?: readonly string[] | undefined;
  /** What becomes of several rows with the same user and item. Default: the last of ratings counts; interactions are added up */
  duplicates?: Duplicates | undefined;
  /**
   * Leaves out users and items with fewer ratings, or interactions with different items and users, until all have so many (k-core).
   * @default 1
   */
  minRatings?: number | undefined;
}

export const MEANING_OPTIONS: OptionTable<Omit<MeaningOptions, keyof ColumnOptions>> = {
  kind: oneOf(['ratings', 'interactions']),
  eventWeights: {
    fits: (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.keys(value).length > 0 &&
      Object.values(value).every((one) => typeof one === 'number' && Number.isFinite(Math.fround(one))),
    give: 'an object of 32-bit numbers, such as { view: 1, purchase: 10 }',
  },
  leaveOut: {
    fits: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'),
    give: "a list of kinds of events, such as ['purchase']",
  },
  duplicates: oneOf(DUPLICATES),
  minRatings: count,
};

/** What rows must be for an objective: ratings, where they are to be predicted; else either. */
export const kindFor = (objective: string | undefined): DataKind | undefined =>
  objective === 'rating' || objective === 'both' ? 'ratings' : undefined;

/** @throws UserError for options that cannot be combined */
export function checkMeaning(options: MeaningOptions): void {
  const { kind, ratingColumn, countColumn, eventColumn, eventWeights, leaveOut } = options;
  const refuse = (isSo: boolean, message: string): void => {
    if (isSo) throw new UserError('argument', message);
  };
  for (const [name, value] of Object.entries({ countColumn, eventColumn })) {
    refuse(
      Boolean(value) && Boolean(ratingColumn),
      `${option(name)} is for interactions, and ${option('ratingColumn')} for ratings; leave out one of them`,
    );
    refuse(
      Boolean(value) && kind === 'ratings',
      `${option(name)} is for interactions, which have no ratings to predict; leave it out, or train with ${option("objective: 'ranking'")}`,
    );
  }
  for (const [name, value] of Object.entries({ eventWeights, leaveOut }))
    refuse(
      value !== undefined && !eventColumn,
      `${option(name)} needs the column of events; name it with ${option('eventColumn')}`,
    );
  const weights = MEANING_OPTIONS.eventWeights;
  refuse(
    eventWeights !== undefined && !weights.fits(eventWeights),
    `${option('eventWeights')} is ${JSON.stringify(eventWeights)}; give ${weights.give}`,
  );
  const unweighted = leaveOut?.find((name) => eventWeights && !Object.hasOwn(eventWeights, name));
  refuse(
    unweighted !== undefined,
    `${option('leaveOut')} names ${quoted(String(unweighted))}, which ${option('eventWeights')} does not; give it a weight, such as 1`,
  );
}

/** The columns that are read for ratings or interactions. */
export const wantedColumns = ({
  kind,
  countColumn,
  eventColumn,
  ratingColumn,
}: MeaningOptions): WantedColumns => {
  if (kind === 'ratings' || ratingColumn) return { wanted: ['user', 'item', 'rating'], welcome: ['time'] };
  const isCounted = Boolean(countColumn) || Boolean(eventColumn);
  return {
    wanted: ['user', 'item'],
    welcome: [...(isCounted || ratingColumn === '' ? [] : (['rating'] as const)), 'count', 'event', 'time'],
  };
};

/** The kind of rows with these columns; undefined where the values decide. */
export const kindByColumns = ({ kind }: MeaningOptions, columns: Columns): DataKind | undefined =>
  columns.rating === undefined ? 'interactions' : kind;

/** @throws UserError if some files have ratings, or counts, and others have none */
export function checkAlike(files: readonly { readonly file: string; readonly columns: Columns }[]): void {
  for (const role of ['rating', 'count'] as const) {
    const having = files.find(({ columns }) => columns[role] !== undefined);
    const lacking = files.find(({ columns }) => columns[role] === undefined);
    if (!having || !lacking) continue;
    const what =
      role === 'rating'
        ? 'read files of ratings and of interactions one by one'
        : `name it with ${option('countColumn')}, or read no counts with ${option("countColumn: ''")}`;
    throw new UserError(
      'data',
      `${lacking.file}: no ${role} column found, but ${having.file} has one; ${what}`,
    );
  }
}

export { spreadOf };

/** Many times the middle half of the values: ratings never reach so far above their median. */
const LONG_TAIL = 10;
/** Fewer values do not tell. */
const ENOUGH_VALUES = 20;

/**
 * Whether values are on a scale: few different ones in a small range, however often the lowest occurs. If half are 0, that
 * means "not rated". A column that an option names as the ratings may have a larger scale.
 */
function areOnScale({ low, quartiles, most, distinct }: Spread, isNamed: boolean): boolean {
  const [different, range] = isNamed ? [101, 100] : [21, 10];
  return distinct <= different && low >= -range && most <= range && !(low === 0 && quartiles[1] === 0);
}

/** Whether values look like counts, durations or money, not like a scale: most are low, and a few are far higher. */
export function isHeavyTailed(spread: Spread, isNamed = false): boolean {
  const { values, low, most, quartiles } = spread;
  const [quarter, median, threeQuarters] = quartiles;
  return (
    values >= ENOUGH_VALUES &&
    !areOnScale(spread, isNamed) &&
    most - low > 1 &&
    (median - low <= 0.1 * (most - low) ||
      (threeQuarters > quarter && most - median > LONG_TAIL * (threeQuarters - quarter)))
  );
}

/** So many different values at most are a scale. */
const SCALE = 101;
/** A lowest value that is this part of the values, and so many times as frequent as the next, is no part of a scale. */
const [HEAVY, TIMES] = [0.02, 2];
const RARE = 0.01;

/** Says if the lowest value seems to mean "not rated": it is 0 or −1, and far more frequent than the next. */
function notRated({ values, low, high, next, distinct, atLow, atNext }: Spread, label: string): string[] {
  if (values >= ENOUGH_VALUES && distinct > 2 && low < 0 && next - low > high - next)
    return [
      `${short((100 * atLow) / values)} % of ${label} are ${low}, far below the rest; if that means "not rated", leave such rows out with ${option(`dropRating: ${low}`)}`,
    ];
  if ((low !== 0 && low !== -1) || values < ENOUGH_VALUES || distinct < 4 || distinct > SCALE || high > 100)
    return [];
  // Where all others are at least 0, -1 is below the scale, however rare it is.
  if (low === 0 && (atLow < HEAVY * values || atLow < TIMES * atNext)) return [];
  if (atLow < RARE * values) return [];
  return [
    `${short((100 * atLow) / values)} % of ${label} are ${low}; if that means "not rated", leave such rows out with ${option(`dropRating: ${low}`)}`,
  ];
}

/** A column of ratings, as messages call it: `"stars"`, or `column 3`. */
export interface RatingColumn {
  readonly label: string;
  /** Whether an option names it. */
  readonly isNamed: boolean;
  /** Whether it is only taken for the ratings by its position. */
  readonly isPositional?: boolean | undefined;
}

/** What values of ratings mean, and in words why they are no ratings, or what is odd about them. */
export function kindByValues(
  spread: Spread,
  { label, isNamed }: RatingColumn,
): { readonly kind: DataKind; readonly because: string[] } {
  const { values, low, high, whole, quartiles } = spread;
  const interactions = (...because: string[]) => ({ kind: 'interactions' as const, because });
  if (low === high && (low === 1 || values >= ENOUGH_VALUES))
    return interactions(`${label} is always ${short(low)}, so each row is an interaction`);
  if (whole && low >= -1 && low <= 0 && high === 1)
    return interactions(
      `${label} has values from ${low} to 1, so a row with 1 is an interaction, and other rows are none`,
    );
  if (isHeavyTailed(spread, isNamed))
    return interactions(
      `half of ${label} is at most ${short(quartiles[1])} and the highest is ${short(high)}, as counts are, not ratings, so each row is an interaction that it counts`,
      ...notRated(spread, label),
    );
  return { kind: 'ratings', because: [...farAbove(spread, label), ...notRated(spread, label)] };
}

/** `2026-12-24` */
const dateOf = (time: number): string => new Date(1000 * secondsOf(time)).toISOString().slice(0, 10);

/** Ratings reach so far at most. */
const FAR = 1000;

/** @throws UserError for ratings that are times, or that are ids or prices by where they stand in a file without a header */
export function checkRatings(
  { low, high, quartiles, whole }: Spread,
  { label, isNamed, isPositional }: RatingColumn,
  name: string,
): void {
  if (isUnixTime(quartiles[0]) && isUnixTime(quartiles[2]) && low > 0)
    throw new UserError(
      'data',
      `${name}: ${label} has times (from ${dateOf(low)} to ${dateOf(high)}), not ratings; name the column of ratings with ${option('ratingColumn')}, or read none with ${option("ratingColumn: ''")}`,
    );
  if (isPositional && !isNamed && whole && low >= FAR)
    throw new UserError(
      'data',
      `${name}: no header, and ${label} has values from ${short(low)} to ${short(high)}, which are no ratings; give the numbers of the right columns with ${option('userColumn')}, ${option('itemColumn')} and ${option('ratingColumn')}`,
    );
}

/** What is odd about values that are read as ratings because an option says so. */
export const doubtsAbout = (spread: Spread, { label, isNamed }: RatingColumn): string[] =>
  isHeavyTailed(spread, isNamed)
    ? [
        `half of ${label} is at most ${short(spread.quartiles[1])} and the highest is ${short(spread.high)}, as counts are, not ratings: predictions of them will be poor`,
      ]
    : [...farAbove(spread, label), ...notRated(spread, label)];

/** Says if the highest value is so far above the rest that it may be mistyped. */
const farAbove = ({ values, low, most, high }: Spread, label: string): string[] =>
  values >= ENOUGH_VALUES && most > low && high - most > most - low
    ? [
        `the highest value of ${label} is ${short(high)}, far above the rest: nearly all are at most ${short(most)}`,
      ]
    : [];

/** Says why rows without ratings are interactions, what counts them, and which columns are not read. */
export function interactionsInWords(
  table: Pick<ColumnNames, 'names' | 'positional'>,
  columns: Columns,
): string[] {
  const { names } = table;
  const { count, event } = columns;
  const read: (number | undefined)[] = Object.values(columns);
  const others = [...names.keys()].filter((index) => !read.includes(index));
  const events = event === undefined ? eventColumnIn(others.map((index) => names[index])) : undefined;
  const counting = count === undefined ? '' : ` that ${columnLabel(table, count)} counts`;
  const unread = others.map((index) => columnLabel(table, index));
  return [
    `no column of ratings, so each row is an interaction${counting}${unread.length > 0 ? `; not read: ${unread.join(', ')}` : ''}`,
    ...(events === undefined ? [] : [`kinds of events count alike, because ${quoted(events)} is not read`]),
  ];
}
