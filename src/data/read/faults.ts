import { oneLine, option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import type { Columns, Role } from './columns.ts';
import type { RecordFault } from './scan-text.ts';

const ifNone = `, or, if quotes mean nothing here, give ${option('quotes: false')}`;

/** Messages about a broken record, for all readers. */
export const faults = {
  empty: 'is empty; give a file with one rating a line',

  quote: `a quote is not closed, or text follows it; write a quote within a field twice${ifNone}`,

  swallowed: `a quote is not closed: the field takes in lines that look like rows; close it${ifNone}`,

  firstLine: 'the first line ends within quotes; close the quote, or remove the line break',

  header: 'the header comes again; remove the line',

  long: 'the line is longer than 2 MB; is a line break or a closing quote missing?',

  fields: (found: number, wanted: number, header: boolean): string =>
    `${count(found, 'field')} where ${header ? 'the header' : 'the first line'} has ${wanted}; correct or remove the line`,

  /** A file with a header alone. */
  none({ rating }: Columns): string {
    const one = rating === undefined ? 'interaction' : 'rating';
    return `has a header and no ${one}s; give a file with one ${one} a line`;
  },

  /** @param record 'line' or 'row' */
  field(role: Role, value: string, column: string, record: string): string {
    const where = `in column ${quoted(column)}`;
    const text = oneLine(value) === '' ? 'an empty field' : quoted(value);
    const field = `${text} ${where}`;
    const correct = `correct or remove the ${record}`;
    if (role === 'rating') return `${field} is not a finite number${numberOf(value)}; ${correct}`;
    if (role === 'count') return `${field} is not a finite number, or is too large; ${correct}`;
    if (role === 'event')
      return `${field} is an event without a weight (${option('eventWeights')}); give it one, 0 for none`;
    if (role === 'time')
      return `${field} is not a time (Unix seconds or milliseconds, 2026-12-24, or 24.12.2026); correct it`;
    if (oneLine(value) !== '' && !value.includes('\0'))
      return `${text} in column ${quoted(column)} means a missing id; ${correct}`;
    return `${value.includes('\0') ? 'a NUL byte in the id' : 'an empty id'} ${where}; ${correct}`;
  },
};

export const recordFault = (fault: RecordFault): string => (fault === 'long' ? faults.long : faults.quote);

/** Most rows of a table of items, which is in memory as texts. */
export const MOST_ITEMS = 2 ** 23;

export const tooMany = (file: string): UserError =>
  new UserError('data', `${file}: has more than 8,388,608 rows; give those of the items that are rated`);

/** What to write for words such as `up`, `dislike` and `true`. */
const numberOf = (value: string): string =>
  /^(up|down|(thumbs?)?[-_ ]?(up|down)|(dis)?liked?|yes|no|true|false|positive|negative|[+-])$/i.test(
    value.trim(),
  )
    ? ': write 1 for good and -1 for bad'
    : '';

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** So many quotes that are not closed are a file of another kind; each makes the reader look far ahead. */
const MOST_OPEN = 100;

/** The rows that cannot be read. */
export class BadRows {
  count = 0;
  /** The first three, in words. */
  readonly first: string[] = [];
  private structural: string | undefined;
  private open = 0;

  /** A record that is none. */
  addBroken(where: string, what: string, isOpen = false): void {
    this.structural ??= `${where}: ${what}`;
    this.addField(where, what);
    if (isOpen && ++this.open > MOST_OPEN) throw new UserError('data', this.structural);
  }

  /** A record with a field that cannot be read. */
  addField(where: string, what: string): void {
    this.count++;
    if (this.first.length < 3) this.first.push(`${where}: ${what}`);
  }

  /**
   * @param canSkip whether there is an option to leave them out
   * @param good number of other rows: if few are good, the file is read wrongly, and leaving rows out is no advice
   * @throws UserError for the first broken record, or else the first with a bad field, if there is one
   */
  check(canSkip: boolean, good = 0): void {
    if (this.count === 0) return;
    const fault = this.structural ?? this.first[0];
    const skip = option('skipBadRows: true');
    const all = this.count === 1 ? '' : `; ${this.count} rows are bad`;
    const way = this.count === 1 ? `; or leave it out with ${skip}` : `: leave them out with ${skip}`;
    throw new UserError('data', `${fault}${all}${canSkip && this.count <= good ? way : ''}`);
  }
}
