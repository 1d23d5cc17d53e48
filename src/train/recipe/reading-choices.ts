import * as v from 'valibot';
import { DUPLICATES } from '../../data/dataset/repeats.ts';
import { type Choices, grouped, type Kind, kinds } from '../../util/choices.ts';

const column = {
  schema: v.pipe(
    v.union([v.string(), kinds.count.schema], 'give the name of a column, or its number from 1'),
    v.transform(String),
  ),
  placeholder: 'column',
  parse: (text: string) => text,
};

const eventWeights: Kind<Readonly<Record<string, number>>> = {
  schema: v.record(
    v.pipe(v.string(), v.nonEmpty('give the name of a kind of events')),
    v.pipe(v.number('give a number for each kind of events, such as view=1,purchase=10'), v.finite()),
    'give a number for each kind of events, such as view=1,purchase=10',
  ),
  placeholder: 'event=weight',
  parse: (text) =>
    Object.fromEntries(
      text.split(',').map((one) => {
        const at = one.lastIndexOf('=');
        return [
          one.slice(0, at),
          at < 0 || one.slice(at + 1).trim() === '' ? undefined : Number(one.slice(at + 1)),
        ];
      }),
    ),
};

const events: Kind<readonly string[]> = {
  schema: v.pipe(
    v.array(v.pipe(v.string(), v.nonEmpty()), 'give the names of kinds of events'),
    v.minLength(1, 'give the names of kinds of events, such as purchase'),
  ),
  placeholder: 'events',
  parse: (text) => text.split(',').filter((name) => name !== ''),
};

/** Choices of how files are read, of which the page's form has all. */
export const readingChoices = grouped('Reading', {
  userColumn: { kind: column, help: 'column of user ids: its name, or its number from 1' },
  itemColumn: { kind: column, help: 'column of item ids' },
  ratingColumn: { kind: column, help: 'column of ratings; "" reads none' },
  timeColumn: { kind: column, help: 'column of times' },
  countColumn: {
    kind: column,
    help: 'column of how often, or for how long: plays, quantity, seconds; for interactions without ratings',
    otherwise: 'found by its usual names, if there are no ratings',
  },
  eventColumn: { kind: column, help: 'column of kinds of events, such as view and purchase' },
  eventWeights: {
    kind: eventWeights,
    help: 'weight of each kind of events, such as view=1,cart=3,purchase=10',
    otherwise: '1 each',
  },
  leaveOut: {
    kind: events,
    help: 'kinds of events, such as purchase, after which an item is not recommended again; they are stored in the model',
  },
  duplicates: {
    kind: kinds.oneOf(DUPLICATES, 'how'),
    help: 'what becomes of several rows with the same user and item',
    otherwise: 'last for ratings, sum for interactions',
  },
  minRatings: {
    kind: kinds.count,
    help: 'leave out users and items with fewer, until all have so many',
    otherwise: '1, which keeps all',
  },
  dropRating: {
    kind: kinds.number,
    help: 'a rating that means "not rated", such as 0; its rows are left out',
  },
  skipBadRows: { kind: kinds.flag, help: 'leave out rows that cannot be read, and say how many' },
  delimiter: { kind: kinds.text('text'), help: 'separator of fields; a space is any number of spaces' },
  header: { kind: kinds.flag, help: 'the first line names the columns', no: 'the first line is data' },
  quotes: { kind: kinds.flag, help: 'fields of a text may be in quotes', no: 'quotes mean nothing' },
  encoding: {
    kind: kinds.text('name'),
    help: 'encoding of text files, such as windows-1252 or gbk',
    otherwise: 'UTF-8, or UTF-16 by its mark',
  },
  decimal: {
    kind: kinds.oneOf([',', '.'], 'mark'),
    help: 'the character before decimals',
    otherwise: 'a point, or a comma where it separates no fields',
  },
  wide: { kind: kinds.flag, help: 'the file is a matrix: a row for each user, a column for each item' },
  missing: { kind: kinds.text('value'), help: 'what stands in a matrix for what is not rated, such as 99' },
}) satisfies Choices;
