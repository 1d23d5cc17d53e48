import { option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import type { Role } from './columns.ts';
import { BadRows, faults } from './faults.ts';
import type { Fields } from './fields.ts';
import { IdTable, isId } from './ids.ts';
import type { MeaningOptions } from './meaning.ts';
import type { Part, SourceOptions } from './part.ts';
import { CHUNK, type Chunk, type Overflow, RowStore } from './row-store.ts';
import { Tally } from './tally.ts';
import { commasIn, markedNumberIn, numberIn, numberInText, secondsIn, textOf } from './values.ts';

/** The id where a file has no column of ids. An id in a file must not be empty. */
export const NO_ID = '';

/** Names of columns that may hold words, such as comments, instead of ratings. */
const MAYBE_RATINGS = /thumb|vote|like|reaction|feedback/i;
const POINT = 46;
/** So many rows are kept as they were read, to show. */
const FIRST_ROWS = 3;

export interface CollectOptions extends SourceOptions, MeaningOptions {
  /** Whether `leaveOut` may name events that no row has, as in data to evaluate on. */
  readonly mayLackEvents?: boolean | undefined;
  /** Whether times are kept. Default: if all parts have them */
  readonly timed?: boolean | undefined;
  /** Whether `skipBadRows` is an option of the reader. */
  readonly canSkip?: boolean | undefined;
}

/** Collects the rows of files: numbers the ids, and reads values and times. */
export class Collector {
  readonly users = new IdTable();
  readonly items = new IdTable();
  readonly rows: RowStore;
  readonly bad = new BadRows();
  /** Counts and sums of the rows, where there may be many: they are made while the next are read. */
  readonly counts = new Tally();
  /** Number of rows of interactions without a user. */
  withoutUser = 0;
  /** Number of rows with the rating that is dropped. */
  dropped = 0;
  /** The first rows, as they were read. */
  readonly firstRows: { readonly [Name in Role]?: string }[] = [];
  /** Kinds of events, where some are left out of recommendations. */
  readonly events = new Set<string>();
  /** The first number with commas like those of thousands, and whether another is a decimal comma. */
  thousands: string | undefined;
  hasDecimalComma = false;
  /** The first number with a point before three digits, where commas may be before decimals. */
  points: string | undefined;
  private readonly dropping: number | undefined;
  private part!: Part;
  private seen = 0;
  private where = 0;
  private decimalComma = false;

  constructor(
    readonly parts: readonly Part[],
    readonly options: CollectOptions,
    private readonly overflow?: Overflow,
  ) {
    const timed = options.timed ?? parts.every(({ columns }) => columns.time !== undefined);
    const onFull = overflow && ((chunk: Chunk) => this.tally(chunk, overflow));
    this.rows = new RowStore({ timed, flagged: options.leaveOut !== undefined }, overflow, onFull);
    this.dropping = options.dropRating === undefined ? undefined : Math.fround(options.dropRating);
  }

  /** Number of rows so far that could be read. */
  get read(): number {
    return this.rows.count + this.withoutUser + this.dropped;
  }

  /** Number of rows so far, also those that are left out. */
  private get added(): number {
    return this.read + this.bad.count;
  }

  /** @throws UserError if ids take more memory than there is */
  private tally(chunk: Chunk, overflow: Overflow): void {
    overflow.checkIds(this.users.memory + this.items.memory);
    this.counts.add(chunk, chunk.length, [this.users.size, this.items.size]);
  }

  /** Begins with the rows of a part. */
  begin(part: Part): void {
    this.part = part;
    this.seen = this.added;
    this.decimalComma =
      part.format === 'text' && part.text?.delimiter !== ',' && this.options.decimal === undefined;
  }

  /** Adds a record. @param where its line, or its row, from 1 */
  add(fields: Fields, where: number): void {
    this.where = where;
    const { bytes, starts, ends } = fields;
    const { user, item, rating, count, event, time } = this.part.columns;
    const number = rating ?? count;
    let value = 1;
    if (number !== undefined) value = this.numberAt(fields, number);
    if (event !== undefined) value *= this.weightOf(fields, event);
    const seconds = time === undefined ? 0 : secondsIn(bytes, starts[time], ends[time]);
    if (!Number.isFinite(Math.fround(value)) || !Number.isFinite(seconds)) {
      this.refuse(fields, where);
      return;
    }
    if (Math.fround(value) === this.dropping && number !== undefined) {
      this.dropped++;
      return;
    }
    const userRow = user === undefined ? 0 : this.users.rowOf(bytes, starts[user], ends[user]);
    const itemRow =
      userRow < 0 ? -1 : item === undefined ? 0 : this.items.rowOf(bytes, starts[item], ends[item]);
    if (itemRow < 0) {
      this.refuse(fields, where);
      return;
    }
    const chunk = this.push(userRow, itemRow, value, seconds);
    if (chunk.leftOut && event !== undefined)
      chunk.leftOut[chunk.length - 1] = this.isLeftOut(fields, event) ? 1 : 0;
    if (this.firstRows.length < FIRST_ROWS) this.show(fields);
  }

  /** Whether a value needs no second look: whether it is a number that is kept, and enough rows are there to show. */
  isPlain(value: number): boolean {
    const rounded = Math.fround(value);
    return Number.isFinite(rounded) && rounded !== this.dropping && this.firstRows.length === FIRST_ROWS;
  }

  /**
   * Adds rows of whole numbers as ids, column by column, which is fast.
   *
   * @returns false if a row needs a second look; then none was added
   */
  addNumbers(
    users: ArrayLike<number>,
    items: ArrayLike<number>,
    values: ArrayLike<number> | undefined,
    count: number,
  ): boolean {
    const chunk = this.rows.open;
    const at = chunk.length;
    const isPlain = !chunk.times && !chunk.leftOut && this.dropping === undefined && this.isPlain(1);
    if (!isPlain || at + count > CHUNK) return false;
    const { ratings } = chunk;
    for (let index = 0; index < count; index++) {
      const value = values ? values[index] : 1;
      ratings[at + index] = value;
      // Infinity and NaN minus themselves are NaN.
      if (ratings[at + index] - ratings[at + index] !== 0) return false;
    }
    if (!this.users.rowsOfNumbers(users, count, chunk.users, at)) return false;
    if (!this.items.rowsOfNumbers(items, count, chunk.items, at)) return false;
    chunk.length += count;
    return true;
  }

  /** Adds a row whose ids are numbered. */
  push(user: number, item: number, value: number, seconds: number): Chunk {
    const chunk = this.rows.open;
    const at = chunk.length++;
    chunk.users[at] = user;
    chunk.items[at] = item;
    chunk.ratings[at] = value;
    if (chunk.times) chunk.times[at] = seconds;
    return chunk;
  }

  private show({ bytes, starts, ends }: Fields): void {
    const named = Object.entries(this.part.columns) as [Role, number][];
    this.firstRows.push(
      Object.fromEntries(named.map(([role, at]) => [role, textOf(bytes, starts[at], ends[at]).trim()])),
    );
  }

  private numberAt(fields: Fields, at: number): number {
    if (this.options.decimal === undefined) {
      const { bytes, starts, ends } = fields;
      const number = numberIn(bytes, starts[at], ends[at]);
      if (this.decimalComma && bytes[ends[at] - 4] === POINT && ends[at] - starts[at] > 4)
        this.points ??= this.inWords(fields, at);
      if (!Number.isNaN(number)) return number;
    }
    return this.markedNumberAt(fields, at);
  }

  /** The number of a field that is no plain number, or whose decimal mark is given. */
  private markedNumberAt(fields: Fields, at: number): number {
    const text = textOf(fields.bytes, fields.starts[at], fields.ends[at]);
    const { decimal } = this.options;
    if (decimal !== undefined) return markedNumberIn(text, decimal);
    if (!this.decimalComma) return numberInText(text);
    const commas = commasIn(text);
    if (commas === 'decimal') this.hasDecimalComma = true;
    else if (commas === 'thousands') this.thousands ??= this.inWords(fields, at);
    return numberInText(text.replace(',', '.'));
  }

  /** A field, and where it is. */
  private inWords({ bytes, starts, ends }: Fields, at: number): string {
    const { unit, names } = this.part;
    return `${unit} ${this.where}: ${quoted(textOf(bytes, starts[at], ends[at]))} in column ${quoted(names[at])}`;
  }

  private weightOf({ bytes, starts, ends }: Fields, at: number): number {
    const { eventWeights } = this.options;
    const event = textOf(bytes, starts[at], ends[at]).trim();
    if (!eventWeights) return event === '' ? Number.NaN : 1;
    return Object.hasOwn(eventWeights, event) ? eventWeights[event] : Number.NaN;
  }

  private isLeftOut({ bytes, starts, ends }: Fields, at: number): boolean {
    const { leaveOut } = this.options;
    if (!leaveOut) return false;
    const event = textOf(bytes, starts[at], ends[at]).trim();
    this.events.add(event);
    return leaveOut.includes(event);
  }

  /** Counts a row that cannot be read; of interactions, rows without a user are left out, whatever else is wrong with them. */
  private refuse(fields: Fields, where: number): void {
    const { file, names, columns, unit, isInteractions } = this.part;
    const { user, item } = columns;
    const text = (at: number): string => textOf(fields.bytes, fields.starts[at], fields.ends[at]);
    const isGood = (at: number | undefined): boolean => at === undefined || isId(text(at));
    if (user !== undefined && isInteractions && !isGood(user) && !text(user).includes('\0')) {
      this.withoutUser++;
      return;
    }
    const role = !isGood(user) ? 'user' : !isGood(item) ? 'item' : this.badNumber(fields);
    const at = columns[role] as number;
    const what = faults.field(role, text(at), names[at], unit);
    this.bad.addField(`${file}, ${unit} ${where}`, `${what}${this.adviceFor(role, names[at], text(at))}`);
  }

  private badNumber(fields: Fields): Role {
    const { rating, count, event } = this.part.columns;
    const number = rating ?? count;
    const value = number === undefined ? 1 : this.numberAt(fields, number);
    const fits = (one: number): boolean => Number.isFinite(Math.fround(one));
    if (!fits(event === undefined ? value : Math.sign(value)))
      return rating === undefined ? 'count' : 'rating';
    const weight = event === undefined ? 1 : this.weightOf(fields, event);
    if (Number.isNaN(weight)) return 'event';
    return fits(value * weight) ? 'time' : 'count';
  }

  /** What else to do about a bad field; a page has no such options. */
  private adviceFor(role: Role, name: string, value: string): string {
    if (this.options.optionNames) return '';
    if (role === 'time') return `, or read no times with ${option("timeColumn: ''")}`;
    if ((role === 'rating' || role === 'count') && /^\s*[+-]?[\d.]*,\d+\s*$/.test(value))
      return `, or say what the comma is with ${option("decimal: ','")} or ${option("decimal: '.'")}`;
    if (role === 'rating' && this.options.ratingColumn === undefined && MAYBE_RATINGS.test(name))
      return `, or read no ratings with ${option("ratingColumn: ''")}`;
    return '';
  }

  /** Ends a part. @throws UserError if it has no rows; a list of ids may be empty */
  end(): void {
    const { file, columns } = this.part;
    if (this.added === this.seen && columns.user !== undefined && columns.item !== undefined)
      throw new UserError('data', `${file}: ${faults.none(columns)}`);
  }

  /** Checks what only all rows together show. @throws UserError for bad rows, and for numbers and events that are not clear */
  finish(): void {
    const { options, parts, bad } = this;
    const [{ file }] = parts;
    if (this.overflow) this.tally(this.rows.last, this.overflow);
    if (!options.skipBadRows) bad.check(options.canSkip ?? false, this.read);
    const unclear = this.hasDecimalComma ? this.points : this.thousands;
    if (unclear !== undefined)
      throw new UserError(
        'data',
        `${file}, ${unclear}: is the ${this.hasDecimalComma ? 'point' : 'comma'} before the decimals, or between thousands? Say so with ${option("decimal: ','")} or ${option("decimal: '.'")}`,
      );
    if (this.rows.count === 0 && this.withoutUser > 0)
      throw new UserError(
        'data',
        `${file}: no row has a user; name another column with ${option('userColumn')}`,
      );
    if (this.rows.count === 0 && this.dropped + bad.count > 0)
      throw new UserError(
        'data',
        `${file}: no row is left: ${bad.count} are bad, ${this.dropped} have the rating that is dropped`,
      );
    const missing = options.mayLackEvents
      ? undefined
      : options.leaveOut?.find((name) => !this.events.has(name));
    if (missing !== undefined)
      throw new UserError(
        'data',
        `${file}: no row has the event ${quoted(missing)} (${option('leaveOut')}); correct the name`,
      );
  }

  /** Whether some ids may be of no row, because another field of theirs could not be read. */
  get hasUnused(): boolean {
    return this.bad.count > 0;
  }

  /** The ids of the users and items by row. */
  ids(): { readonly userIds: string[]; readonly itemIds: string[] } {
    const idsOf = (role: 'user' | 'item', table: IdTable): string[] =>
      this.rows.count > 0 && this.parts[0].columns[role] === undefined ? [NO_ID] : table.ids();
    return { userIds: idsOf('user', this.users), itemIds: idsOf('item', this.items) };
  }
}
