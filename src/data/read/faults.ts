import { option } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import type { Columns, Role } from './columns.ts';

/** Messages about a broken record, for all readers. */
export const faults = {
  quote: 'a quote is not closed, or text follows it; write a quote within a field twice',

  firstLine: 'the first line ends within quotes; close the quote, or remove the line break',

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
    const field = `${value === '' ? 'an empty field' : quoted(value)} ${where}`;
    const correct = `correct or remove the ${record}`;
    if (role === 'rating') return `${field} is not a finite number${numberOf(value)}; ${correct}`;
    if (role === 'count') return `${field} is not a finite number, or is too large; ${correct}`;
    if (role === 'event')
      return `${field} is an event without a weight (${option('eventWeights')}); give it one, 0 for none`;
    if (role === 'time')
      return `${field} is not a time (Unix seconds or milliseconds, 2026-12-24, or 24.12.2026); correct it`;
    return `${value ? 'a NUL byte in the id' : 'an empty id'} ${where}; ${correct}`;
  },
};

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
