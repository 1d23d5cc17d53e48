import { resolve } from 'node:path';
import { option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import type { Collector } from './collector.ts';
import { findColumns, pathsIn, type Role, type WantedColumns } from './columns.ts';
import {
  type Connection,
  type DuckDBDataChunk,
  type DuckDBResult,
  identifier,
  literal,
  rows,
  withoutPattern,
} from './duckdb.ts';
import { TextFields } from './fields.ts';
import type { Found } from './files.ts';
import type { IdTable } from './ids.ts';
import { areInteractions, type Part, type SourceOptions } from './part.ts';
import { secondsOf } from './values.ts';

/** SQL of the table. */
const tableOf = ({ path = '', partitioned = false }: Pick<Part, 'path' | 'partitioned'>): string =>
  `read_parquet(${literal(withoutPattern(resolve(path)))}, hive_partitioning = ${partitioned}, hive_types_autocast = false)`;

/** Whether folders of the path, such as `year=2020`, are columns that the file does not have itself. */
async function isPartitioned(connection: Connection, { path, file }: Found): Promise<boolean> {
  const keys = Array.from(path.matchAll(/(?<=^|[\\/])([^\\/=]+)=[^\\/]*[\\/]/g), ([, key]) =>
    key.toLowerCase(),
  );
  if (keys.length === 0) return false;
  const own = await describe(connection, file, `FROM ${tableOf({ path })}`);
  return !own.some(([name]) => keys.includes(String(name).toLowerCase()));
}

/** SQL of a column, or of a field in it: `user.id`. */
const expressionOf = (name: string, columns: readonly string[]): string => {
  if (columns.includes(name)) return identifier(name);
  const [first, ...steps] = name.split('.');
  return steps.reduce((value, step) => `struct_extract(${value}, ${literal(step)})`, identifier(first));
};

/** Understands a Parquet file by its schema. @throws UserError for a damaged file, or one without the columns that are wanted */
export async function understandParquet(
  connection: Connection,
  { path, file }: Found,
  roles: WantedColumns,
  options: SourceOptions,
): Promise<Part> {
  const partitioned = await isPartitioned(connection, { path, file });
  const described = await describe(connection, file, `FROM ${tableOf({ path, partitioned })}`);
  const columns = described.map(([name]) => String(name));
  const paths = pathsIn(options).filter(
    (path) => !columns.includes(path) && columns.includes(path.split('.')[0]),
  );
  const named = { names: [...columns, ...paths], positional: false, guessed: false };
  const found = findColumns(file, named, roles, options);
  const isInteractions = areInteractions(found, roles);
  return {
    ...named,
    file,
    path,
    partitioned,
    format: 'Parquet',
    unit: 'row',
    isInteractions,
    columns: found,
  };
}

const describe = (connection: Connection, file: string, query: string) =>
  rows(connection, `SELECT column_name, column_type FROM (DESCRIBE ${query})`).catch((error: Error) => {
    throw damaged(file, error);
  });

function damaged(file: string, { message }: Error): Error {
  if (/Out of Memory Error|could not allocate block|No space left/.test(message)) return new Error(message);
  const first = message.split('\n')[0].replace(/^[A-Z][\w ]* Error: /, '');
  return new UserError('data', `${file}: the file is damaged or cut off (${first}); fetch or write it again`);
}

/** How DuckDB gives a column. */
type Form = 'int' | 'bigint' | 'text' | 'number';

interface Read {
  readonly role: Role;
  readonly sql: string;
  readonly form: Form;
}

/** How to read a column of this type for a role; as text, where a number would not be the same. */
function readOf(
  file: string,
  role: Role,
  { name, type, sql }: { readonly name: string; readonly type: string; readonly sql: string },
): Read {
  const isId = role === 'user' || role === 'item';
  if (/\[\d*\]$|^(STRUCT|MAP|UNION|LIST)/.test(type) && isId) {
    const what = /\[\d*\]$|^LIST/.test(type) ? 'lists' : 'objects';
    const example = what === 'objects' ? `, such as ${option(`${role}Column: '${name}.id'`)}` : '';
    throw new UserError(
      'data',
      `${file}: column ${quoted(name)} holds ${what}, not ids; name a value in it${example}`,
    );
  }
  if (isId) {
    if (/^(U?(TINY|SMALL)INT|INTEGER)$/.test(type)) return { role, sql: `${sql}::INTEGER`, form: 'int' };
    if (/^(BIGINT|UINTEGER)$/.test(type)) return { role, sql: `${sql}::BIGINT`, form: 'bigint' };
  } else if (role === 'time' && /^(TIMESTAMP|DATE)/.test(type)) {
    const zoned = type === 'TIMESTAMP WITH TIME ZONE' ? sql : `${sql}::TIMESTAMP`;
    return { role, sql: `epoch(${zoned})`, form: 'number' };
  } else if (role !== 'event' && /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$/.test(type))
    return { role, sql: type === 'FLOAT' ? sql : `${sql}::DOUBLE`, form: 'number' };
  return { role, sql: textOf(sql, type), form: 'text' };
}

/** All columns of a Parquet file as texts. */
export async function textsOfParquet(
  connection: Connection,
  { path, file }: Found,
): Promise<{ readonly names: string[]; readonly rows: string[][] }> {
  const described = await describe(connection, file, `FROM ${tableOf({ path })}`);
  const names = described.map(([name]) => String(name));
  const texts = described.map(
    ([name, type]) => `coalesce(${textOf(identifier(String(name)), String(type))}, '')`,
  );
  const found = await rows(connection, `SELECT ${texts} FROM ${tableOf({ path })}`).catch((error: Error) => {
    throw damaged(file, error);
  });
  return { names, rows: found as string[][] };
}

/** A column as text. Some programs do not say that bytes are text. */
const textOf = (sql: string, type: string): string =>
  type === 'BLOB' ? `decode(${sql})` : `${sql}::VARCHAR`;

/** Reads a Parquet file into a collector. DuckDB decodes it in its own threads. */
export async function readParquet(connection: Connection, part: Part, collector: Collector): Promise<void> {
  const { file, names, columns } = part;
  const table = tableOf(part);
  const described = new Map((await describe(connection, file, `FROM ${table}`)) as [string, string][]);
  const reads: Read[] = [];
  for (const [role, index] of Object.entries(columns) as [Role, number][]) {
    const name = names[index];
    const sql = expressionOf(name, [...described.keys()]);
    const type =
      described.get(name) ?? (await describe(connection, file, `SELECT ${sql} FROM ${table}`))[0][1];
    reads.push(readOf(file, role, { name, type: String(type), sql }));
  }
  const isPlain = reads.every(({ role, form }) => role === 'user' || role === 'item' || form !== 'text');
  const reader = new ChunkReader(part, collector, reads);
  collector.begin(part);
  try {
    const result = await connection.stream(`SELECT ${reads.map(({ sql }) => sql)} FROM ${table}`);
    for await (const chunk of chunksOf(result))
      if (isPlain) reader.addPlain(chunk);
      else reader.addTexts(chunk);
  } catch (error) {
    throw error instanceof UserError ? error : damaged(file, error as Error);
  }
  collector.end();
}

/** The chunks of a result. DuckDB computes the next one while one is used. */
async function* chunksOf(result: DuckDBResult): AsyncGenerator<DuckDBDataChunk> {
  let coming = result.fetchChunk();
  try {
    for (let chunk = await coming; chunk && chunk.rowCount > 0; chunk = await coming) {
      coming = result.fetchChunk();
      yield chunk;
    }
  } finally {
    // Waits, because the connection is busy until then, and catches an error that nothing else awaits.
    await coming.catch(() => undefined);
  }
}

/** What a vector of DuckDB holds, which its types hide. */
interface Vector {
  readonly items: Int32Array | Float32Array | Float64Array;
  readonly dataView: DataView;
  readonly validity: { readonly data: BigUint64Array | null };
  getItem(index: number): unknown;
}

const vectorOf = (chunk: DuckDBDataChunk, column: number): Vector =>
  chunk.getColumnVector(column) as unknown as Vector;

/** Whether the item at an index is there. */
function isThere({ validity: { data } }: Vector, index: number): boolean {
  if (!data) return true;
  return ((new Uint8Array(data.buffer, data.byteOffset)[index >> 3] >> (index & 7)) & 1) === 1;
}

/** The row of an id in a table, or −1. */
type RowOf = (index: number) => number;

/** Adds chunks of DuckDB to a collector. */
class ChunkReader {
  private readonly fields = new TextFields();
  private readonly texts: string[];
  /** Number of rows that were read. */
  private read = 0;

  constructor(
    private readonly part: Part,
    private readonly collector: Collector,
    private readonly reads: readonly Read[],
  ) {
    this.texts = new Array(part.names.length).fill('');
  }

  /** Rows of ids, numbers and times that need not be read as text. */
  addPlain(chunk: DuckDBDataChunk): void {
    const { collector } = this;
    const count = chunk.rowCount;
    const vectors = this.reads.map((_, column) => vectorOf(chunk, column));
    const indexOf = (...wanted: readonly Role[]): number =>
      this.reads.findIndex(({ role }) => wanted.includes(role));
    const [user, item] = [indexOf('user'), indexOf('item')];
    const [value, time] = [vectors[indexOf('rating', 'count')], vectors[indexOf('time')]];
    const values = value?.items;
    const isWhole = vectors.every(({ validity }) => !validity.data);
    if (
      isWhole &&
      this.reads[user]?.form === 'int' &&
      this.reads[item]?.form === 'int' &&
      !time &&
      collector.addNumbers(vectors[user].items, vectors[item].items, values, count)
    ) {
      this.read += count;
      return;
    }
    const rowOf = [user, item].map((at, side) =>
      at < 0
        ? () => 0
        : rowsIn(vectors[at], this.reads[at].form, side === 0 ? collector.users : collector.items),
    );
    for (let index = 0; index < count; index++) {
      this.read++;
      const number = values ? values[index] : 1;
      const seconds = time ? secondsOf(time.items[index]) : 0;
      const isGood =
        collector.isPlain(number) &&
        Number.isFinite(seconds) &&
        (isWhole || vectors.every((one) => isThere(one, index)));
      const userRow = isGood ? rowOf[0](index) : -1;
      const itemRow = userRow < 0 ? -1 : rowOf[1](index);
      if (itemRow < 0) this.addText(vectors, index);
      else collector.push(userRow, itemRow, number, seconds);
    }
  }

  addTexts(chunk: DuckDBDataChunk): void {
    const vectors = this.reads.map((_, column) => vectorOf(chunk, column));
    const count = chunk.rowCount;
    for (let index = 0; index < count; index++) {
      this.read++;
      this.addText(vectors, index);
    }
  }

  private addText(vectors: readonly Vector[], index: number): void {
    for (const [at, { role }] of this.reads.entries())
      this.texts[this.part.columns[role] as number] = String(vectors[at].getItem(index) ?? '');
    this.collector.add(this.fields.of(this.texts), this.read);
  }
}

/** Numbers the ids of a vector. */
function rowsIn(vector: Vector, form: Form, table: IdTable): RowOf {
  const { items } = vector;
  if (form === 'int')
    return (index) =>
      items[index] >= 0 ? table.rowOfNumber(items[index]) : table.rowOfText(String(items[index]));
  if (form === 'bigint') {
    const halves = new Int32Array(items.buffer, items.byteOffset);
    return (index) =>
      halves[2 * index + 1] === 0 && halves[2 * index] >= 0
        ? table.rowOfNumber(halves[2 * index])
        : table.rowOfText(String(vector.getItem(index)));
  }
  const { dataView } = vector;
  const bytes = new Uint8Array(dataView.buffer, dataView.byteOffset);
  return (index) => {
    const at = 16 * index;
    const length = dataView.getUint32(at, true);
    // Longer texts are elsewhere.
    return length <= 12
      ? table.rowOf(bytes, at + 4, at + 4 + length)
      : table.rowOfText(String(vector.getItem(index)));
  };
}
