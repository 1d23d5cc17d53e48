import { option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import type { Collector } from './collector.ts';
import { type Columns, findColumns, pathsIn, type Role, type WantedColumns } from './columns.ts';
import { faults, MOST_ITEMS, tooMany } from './faults.ts';
import { TextFields } from './fields.ts';
import { FlatFields } from './flat-json.ts';
import { areInteractions, type Part, type SourceOptions } from './part.ts';
import type { ByteReader } from './read-text.ts';
import { JSON_FAULTS, type JsonForm, JsonScanner, listsOf, pastSpace, textOfSpan } from './scan-json.ts';
import type { Sample } from './understand-text.ts';
import { textOf } from './values.ts';

type Value = string | number | boolean | null | undefined | readonly unknown[] | object;
type JsonRecord = Readonly<Record<string, Value>>;

/** So many records tell which columns there are. */
const ENOUGH = 200;

/** The object in a text, or why there is none. */
function objectIn(text: string): JsonRecord | string {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : JSON_FAULTS.object;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Whether a text is JSON: of an object, of a list of objects, or of an object in each line. */
export function isJson({ file, bytes }: Sample): boolean {
  if (/\.(json|jsonl|ndjson|geojson)(\.gz|\.zst)?$/i.test(file)) return true;
  const text = textOf(bytes, 0, Math.min(bytes.length, 2 ** 12));
  return /^\s*(\[\s*)?\{\s*"(?:[^"\\]|\\.)*"\s*:/.test(text);
}

/** How records are laid out, by the start of a file. */
function formOf({ bytes, isWhole }: Sample, worthOf: (record: JsonRecord) => number): JsonForm {
  const start = pastSpace(bytes, 0);
  if (bytes[start] === 91) return { kind: 'array' };
  const lines = textOf(bytes, 0, bytes.length)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
  const found = lines.slice(0, ENOUGH).map(objectIn);
  const objects = found.filter((one) => typeof one !== 'string');
  const isOne = typeof found[0] === 'string' || (isWhole && lines.length === 1 && worthOf(found[0]) === 0);
  const lists = isOne ? listsOf(bytes) : [];
  // Of several lists, the one with the columns that are wanted, and with ratings if one has them.
  const worths = lists.map(({ first }) => {
    const record = objectIn(first);
    return typeof record === 'string' ? 0 : worthOf(record);
  });
  const key = lists[worths.indexOf(Math.max(...worths))]?.key;
  if (key !== undefined)
    return { kind: 'list', key, others: lists.map((list) => list.key).filter((other) => other !== key) };
  return { kind: objects.length > 0 || lines.length < 2 ? 'lines' : 'values' };
}

const stepsOf = (record: JsonRecord, path: string): readonly string[] =>
  Object.hasOwn(record, path) ? [path] : path.split('.');

/** The value at a path such as `user.id`. A key with a point in it goes before. */
function valueAt(record: JsonRecord, path: string): Value {
  let value: Value = record;
  for (const step of stepsOf(record, path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as JsonRecord)[step];
  }
  return value;
}

/** Understands JSON from its first bytes. @throws UserError for JSON without the columns that are wanted */
export function understandJson(sample: Sample, roles: WantedColumns, options: SourceOptions): Part {
  const { file, bytes, isWhole } = sample;
  if (pastSpace(bytes, 0) === bytes.length) throw new UserError('data', `${file}: ${faults.empty}`);
  const columnsOf = (
    records: readonly JsonRecord[],
  ): Pick<Part, 'names' | 'columns' | 'positional' | 'guessed'> => {
    const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
    const paths = pathsIn(options).filter(
      (path) => !names.includes(path) && records.some((record) => valueAt(record, path) !== undefined),
    );
    const named = { names: [...names, ...paths], positional: false, guessed: false };
    return { ...named, columns: findColumns(file, named, roles, options) };
  };
  const form = formOf(sample, (record) => {
    try {
      return columnsOf([record]).columns.rating === undefined ? 1 : 2;
    } catch {
      return 0;
    }
  });
  const records: JsonRecord[] = [];
  let broken: string | undefined;
  const scanner = new JsonScanner(form, {
    onRecord(span) {
      if (records.length === ENOUGH) return;
      const record = objectIn(textOfSpan(span));
      if (typeof record !== 'string') records.push(record);
      else broken ??= record;
    },
    onBroken(why) {
      broken ??= why;
    },
  });
  scanner.push(bytes, isWhole);
  const unit = form.kind === 'lines' || form.kind === 'values' ? 'line' : 'row';
  if (records.length === 0) throw brokenJson(file, broken ?? JSON_FAULTS.end);
  const named = columnsOf(records);
  return {
    file,
    format: 'JSON',
    unit,
    isInteractions: areInteractions(named.columns, roles),
    ...named,
    json: form,
  };
}

const brokenJson = (where: string, why: string): UserError =>
  new UserError('data', `${where}: broken JSON (${why}); correct the file`);

/** All records of JSON, as texts of their columns. @throws UserError for broken JSON */
export function recordsIn(sample: Sample): { readonly names: string[]; readonly rows: string[][] } {
  const { file, bytes } = sample;
  const records: JsonRecord[] = [];
  const broken = (why: string, at: number): never => {
    throw brokenJson(`${file}, record ${at}`, why);
  };
  const scanner = new JsonScanner(
    formOf(sample, () => 1),
    {
      onRecord(span, at) {
        const record = objectIn(textOfSpan(span));
        if (records.length === MOST_ITEMS) throw tooMany(file);
        records.push(typeof record === 'string' ? broken(record, at) : record);
      },
      onBroken: broken,
    },
  );
  scanner.push(bytes, true);
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const textIn = (value: Value): string =>
    value === undefined || value === null
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
  return { names, rows: records.map((record) => names.map((name) => textIn(record[name]))) };
}

/** Reads the records of JSON into a collector. */
export class JsonReader implements ByteReader {
  readonly scanner: JsonScanner;
  private readonly fields = new TextFields();
  private readonly roles: readonly (readonly [Role, string])[];
  private readonly texts: string[];
  private readonly flat: FlatFields;

  constructor(
    private readonly part: Part,
    private readonly collector: Collector,
  ) {
    const { names, columns, file } = part;
    this.roles = (Object.entries(columns) as [Role, number][]).map(([role, at]) => [role, names[at]]);
    this.texts = new Array(names.length).fill('');
    const read = new Set(Object.values(columns));
    this.flat = new FlatFields(names.map((name, at) => (read.has(at) ? name : '')));
    this.scanner = new JsonScanner(part.json as JsonForm, {
      onRecord: (span, at) => {
        if (this.flat.read(span.bytes, span.start, span.end)) this.collector.add(this.flat, at);
        else this.record(textOfSpan(span), at);
      },
      onBroken: (why) => {
        throw brokenJson(file, why);
      },
    });
  }

  push(bytes: Uint8Array, isLast: boolean): void {
    this.scanner.push(bytes, isLast);
  }

  private record(text: string, at: number): void {
    const { part, collector } = this;
    const record = objectIn(text);
    if (typeof record === 'string') {
      const where = `${part.file}, ${part.unit} ${at}`;
      collector.bad.addBroken(where, `broken JSON (${record}); correct or remove the ${part.unit}`);
      return;
    }
    const columns = part.columns as Required<Columns>;
    for (const [role, path] of this.roles)
      this.texts[columns[role]] = this.textOf(record, text, { role, path, at });
    collector.add(this.fields.of(this.texts), at);
  }

  private textOf(
    record: JsonRecord,
    text: string,
    { role, path, at }: { readonly role: Role; readonly path: string; readonly at: number },
  ): string {
    const value = valueAt(record, path);
    if (value === undefined || value === null) return '';
    if (typeof value === 'string') return value;
    const isId = role === 'user' || role === 'item';
    if (typeof value === 'number') return isId ? rawNumber(text, path, value) : String(value);
    if (typeof value === 'boolean') return String(value);
    if (Object.hasOwn(value, '0') && !Array.isArray(value))
      throw new UserError(
        'data',
        `${part(this.part, at)}: column ${quoted(path)} holds values by row numbers, as pandas writes them; write one object for each row, with orient='records'`,
      );
    if (!isId) return Array.isArray(value) ? '[…]' : '{…}';
    const [first] = Object.keys(value);
    const example =
      Array.isArray(value) || first === undefined
        ? ''
        : `, such as ${option(`${role}Column: '${path}.${first}'`)}`;
    throw new UserError(
      'data',
      `${part(this.part, at)}: column ${quoted(path)} holds ${Array.isArray(value) ? 'a list' : 'an object'}, not an id; name a value in it${example}`,
    );
  }
}

const part = ({ file, unit }: Part, at: number): string => `${file}, ${unit} ${at}`;

const patterns = new Map<string, RegExp>();

/** A number as it is written, with all its digits. */
function rawNumber(text: string, path: string, value: number): string {
  const key = JSON.stringify(path.split('.').at(-1)).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = patterns.get(key) ?? new RegExp(`${key}\\s*:\\s*(-?[\\d.eE+-]+)`, 'g');
  patterns.set(key, pattern);
  for (const [, raw] of text.matchAll(pattern)) if (Number(raw) === value) return raw;
  return String(value);
}
