import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { type Artifact, headFile, headOf } from '../artifact/manifest.ts';
import { UserError } from '../errors.ts';
import type { Runtime } from '../run/runtime.ts';
import { mapValues } from '../util/map-values.ts';
import { runInChunks } from './chunks.ts';
import { decimal } from './listed.ts';

/** An item, and the rating that a user gave it or is predicted to give it. */
export interface ItemRating {
  readonly item: string;
  readonly rating: number;
}

export interface Similar {
  readonly item: string;
  /** Cosine of the angle between the factors of both items: −1 to 1. */
  readonly similarity: number;
}

/** Facts about an item from the training ratings. */
export interface Item {
  readonly item: string;
  /** Number of ratings. */
  readonly ratings: number;
  readonly average: number;
  readonly genres?: readonly string[];
}

/** How many items a list has, and which it leaves out. */
export interface ListOptions {
  /** Items in each list. A list is shorter where fewer items are left. @default 10 */
  readonly k?: number;
  /** Ids of items that no list has. @default [] */
  readonly exclude?: readonly string[];
}

export interface RecommendOptions extends ListOptions {
  /** Ids of items that the list of one user does not have, by user id; see `readExclusions`. */
  readonly excludeByUser?: ReadonlyMap<string, readonly string[]>;
  /**
   * Whether a list may have items that its user rated in training. They are known where the model was saved with
   * `keepSeen`.
   *
   * @default false
   */
  readonly includeSeen?: boolean;
}

/** Rows of one item parameter: numbers of shape `dims`, whose first dimension is the items. */
export interface Rows {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** The result of folding in a person that the model has never seen. */
export interface FoldedIn {
  /** The person's row of each user parameter, by the parameter's name. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** Items with the highest predicted ratings, without those that the person rated. */
  readonly recommended: readonly ItemRating[];
}

/** A trained model that answers by ids, with the files of an artifact, on any runtime. */
export class Recommender {
  /** Titles by item id; empty if the artifact has none. */
  readonly titles: ReadonlyMap<string, string>;
  /** All items, in the order of their rows; empty if the artifact has no `items.json`. */
  readonly items: readonly Item[];
  private readonly sessions = new Map<string, Promise<InferenceSession>>();

  private constructor(
    readonly artifact: Artifact,
    private readonly runtime: Runtime,
  ) {
    this.titles = new Map(Object.entries(parsed<Record<string, string>>(artifact, 'titles.json') ?? {}));
    this.items = itemsOf(parsed(artifact, 'items.json'));
  }

  /**
   * @param heads heads to open at once, such as `predict`. Others are opened when they are first needed.
   * @throws UserError if the runtime refuses a file
   */
  static async create(
    artifact: Artifact,
    runtime: Runtime,
    heads: readonly string[] = [],
  ): Promise<Recommender> {
    const recommender = new Recommender(artifact, runtime);
    await Promise.all(heads.map((head) => recommender.session(head)));
    return recommender;
  }

  /** Names of the heads that are loaded: `predict`, `recommend`, … */
  get heads(): string[] {
    return Object.keys(this.artifact.files).flatMap((name) => headOf(name) ?? []);
  }

  /**
   * The session that runs a head.
   *
   * @throws UserError if the artifact lacks it, or the runtime refuses it.
   */
  session(head: string): Promise<InferenceSession> {
    const known = this.sessions.get(head);
    if (known) return known;
    const opening = this.open(head);
    this.sessions.set(head, opening);
    // The next call tries again.
    opening.catch(() => this.sessions.get(head) === opening && this.sessions.delete(head));
    return opening;
  }

  private async open(head: string): Promise<InferenceSession> {
    const name = `${head}.onnx`;
    const bytes = headFile(this.artifact, head);
    return this.runtime
      .createSession(bytes, { threads: 1, batch: this.rowsPerRun(head) })
      .catch((error: Error) => {
        const [reason] = error.message.split('\n');
        throw new UserError(
          'model',
          `${name}: ${this.runtime.name} refuses it: ${reason}; train the model again`,
        );
      });
  }

  /** Runs a head on tensors, in chunks of rows that bound its memory. */
  async run(head: string, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const session = await this.session(head);
    return runInChunks(session, feeds, this.rowsPerRun(head));
  }

  private rowsPerRun(head: string): number {
    return this.artifact.manifest.files[`${head}.onnx`]?.batch ?? MOST_ROWS;
  }

  /**
   * Predicts a rating, or one for each pair of ids. For an id that the model has never seen it takes the average of all
   * rows.
   *
   * @param user a user id, or ids, [n]
   * @param item an item id, or ids, [n]
   * @returns a rating, or ratings, [n]
   * @throws UserError for lists of different lengths, or an id that is not a string or has a NUL character
   */
  predict(user: string, item: string): Promise<number>;
  predict(users: readonly string[], items: readonly string[]): Promise<Float32Array>;
  async predict(
    users: string | readonly string[],
    items: string | readonly string[],
  ): Promise<number | Float32Array> {
    if (isOne(users) && isOne(items)) return (await this.predict([users], [items]))[0];
    if (isOne(users) || isOne(items))
      throw new UserError('argument', 'predict takes a user and an item, or a list of each');
    const [user, item] = [strings(users), strings(items)];
    if (users.length !== items.length) {
      throw new UserError(
        'argument',
        `${users.length} users but ${items.length} items; give as many of one as of the other`,
      );
    }
    const { rating } = await this.run('predict', { user, item });
    return rating.data as Float32Array;
  }

  /**
   * Recommends the items that a user would rate highest, the best first: a list for a user, or a list for each of many.
   * A user that the model has never seen gets what the average of all users would like.
   *
   * @param user a user id, or ids, [n]
   * @returns a list, or lists, [n]
   * @throws UserError for an id that is not a string or has a NUL character, or a `k` that is not a whole number from 1
   */
  recommend(user: string, options?: RecommendOptions): Promise<ItemRating[]>;
  recommend(users: readonly string[], options?: RecommendOptions): Promise<ItemRating[][]>;
  async recommend(
    users: string | readonly string[],
    options: RecommendOptions = {},
  ): Promise<ItemRating[] | ItemRating[][]> {
    if (isOne(users)) return (await this.recommend([users], options))[0];
    const { k = 10, exclude = [], excludeByUser, includeSeen = false } = options;
    const wanted = count(k);
    checkIds(exclude);
    checkIds(users);
    const rows = this.rowsPerRun('recommend');
    const found: ItemRating[][] = [];
    // Chunk by chunk, because the longest list of a chunk makes all of its lists as long.
    for (let from = 0; from < users.length; from += rows) {
      const chunk = users.slice(from, from + rows);
      const user = strings(chunk);
      let lists = chunk.map((id) => [...exclude, ...(excludeByUser?.get(id) ?? [])]);
      if (!includeSeen && this.heads.includes('seen')) {
        const seen = rowsOf((await this.run('seen', { user })).item);
        lists = lists.map((list, row) => [...list, ...seen[row]]);
      }
      const { item, rating } = await this.run('recommend', { user, k: wanted, exclude: padded(lists) });
      found.push(...listsOf('rating', item, rating));
    }
    return found;
  }

  /**
   * Lists the items most similar to an item, the most similar first: a list for an item, or a list for each of many. The
   * list of an item that the model has never seen is empty.
   *
   * @param item an item id, or ids, [n]
   * @returns a list, or lists, [n]
   * @throws UserError for an id that is not a string or has a NUL character, or a `k` that is not a whole number from 1
   */
  similar(item: string, options?: ListOptions): Promise<Similar[]>;
  similar(items: readonly string[], options?: ListOptions): Promise<Similar[][]>;
  async similar(
    items: string | readonly string[],
    options: ListOptions = {},
  ): Promise<Similar[] | Similar[][]> {
    if (isOne(items)) return (await this.similar([items], options))[0];
    const { k = 10, exclude = [] } = options;
    count(k);
    const { without, wanted } = leavingOut<Similar>(exclude, k);
    const { similar, similarity } = await this.run('similar', { item: strings(items), k: wanted });
    return listsOf('similarity', similar, similarity).map(without);
  }

  /**
   * Recommends to a person that the model has never seen, from some of their ratings (fold-in): fits the person's factors
   * to them. Ratings of items that the model has never seen are ignored.
   *
   * @throws UserError for a rating outside the range of the training ratings, an id that is not a string or has a NUL
   *   character, or a `k` that is not a whole number from 1
   */
  async foldIn(
    ratings: readonly ItemRating[],
    { k = 10, exclude = [] }: ListOptions = {},
  ): Promise<FoldedIn> {
    count(k);
    const { low, high } = this.artifact.manifest.data;
    // Compared as 32-bit floats, because low and high are such.
    const wrong = ratings.find(({ rating }) => !(Math.fround(rating) >= low && Math.fround(rating) <= high));
    if (wrong) {
      const [from, to] = [low, high].map(decimal);
      throw new UserError(
        'argument',
        `the rating of ${JSON.stringify(wrong.item)} is ${wrong.rating}; the model was trained on ratings from ${from} to ${to}`,
      );
    }
    // Of several ratings of an item, the last counts, as in training.
    const latest = new Map(ratings.map(({ item, rating }) => [item, rating]));
    const { without, wanted } = leavingOut<ItemRating>(exclude, k);
    const results = await this.run('fold-in', {
      item: strings([...latest.keys()]),
      rating: new Tensor('float32', Float32Array.from(latest.values()), [latest.size]),
      k: wanted,
    });
    const { top_item, top_rating, ...rows } = results;
    const [best] = listsOf('rating', top_item, top_rating);
    return {
      parameters: mapValues(rows, ({ data }) => data as Float32Array),
      recommended: without(best),
    };
  }

  /**
   * What the model has learned about an item, or items: their rows of each item parameter, by the parameter's name, such
   * as `item_factors`. An item that the model has never seen has the average of all rows.
   *
   * @param item an item id, or ids, [n]
   * @returns of each parameter the row, or the rows, [n, …]
   * @throws UserError for a model without item parameters, or an id that is not a string or has a NUL character
   */
  factors(item: string): Promise<Record<string, Float32Array>>;
  factors(items: readonly string[]): Promise<Record<string, Rows>>;
  async factors(items: string | readonly string[]): Promise<Record<string, Float32Array | Rows>> {
    if (isOne(items)) return mapValues(await this.factors([items]), ({ data }) => data);
    const rows = await this.run('factors', { item: strings(items) });
    return mapValues(rows, ({ dims, data }) => ({ dims, data: data as Float32Array }));
  }

  /** Frees the memory of the sessions. */
  async release(): Promise<void> {
    const opening = [...this.sessions.values()];
    // Later questions open new sessions.
    this.sessions.clear();
    const opened = await Promise.allSettled(opening);
    for (const session of opened) if (session.status === 'fulfilled') await session.value.release();
  }
}

function parsed<T>({ files }: Artifact, name: string): T | undefined {
  return files[name] && (JSON.parse(new TextDecoder().decode(files[name])) as T);
}

/** Turns the columns of `items.json` into rows. */
function itemsOf(columns?: {
  item: string[];
  ratings: number[];
  average: number[];
  genres?: string[][];
}): Item[] {
  if (!columns) return [];
  const { ratings, average, genres } = columns;
  return columns.item.map((item, row) => ({
    item,
    ratings: ratings[row],
    average: average[row],
    ...(genres && { genres: genres[row] }),
  }));
}

/** Rows in one run of a head, if its manifest does not say. */
const MOST_ROWS = 8192;

/** Whether this is one id, not a list. A number counts as an id here, and is refused later. */
const isOne = (ids: string | readonly string[]): ids is string => !Array.isArray(ids);

function checkIds(ids: readonly string[]): void {
  if (!Array.isArray(ids)) throw new UserError('argument', `${JSON.stringify(ids)} is not a list of ids`);
  const other = ids.findIndex((id) => typeof id !== 'string');
  if (other >= 0) throw new UserError('argument', `${ids[other]}: ids are strings; give '${ids[other]}'`);
  // ONNX Runtime in Node cuts a string at its first NUL, which would give another id.
  const cut = ids.find((id) => id.includes('\0'));
  if (cut !== undefined)
    throw new UserError('argument', `${JSON.stringify(cut)}: an id must not contain a NUL character`);
}

/** string[n] */
function strings(ids: readonly string[], dims = [ids.length]): Tensor {
  checkIds(ids);
  return new Tensor('string', ids, dims);
}

/** The number of items to ask for, and a function that removes the excluded items and those beyond `k` from a list. */
function leavingOut<T extends { readonly item: string }>(exclude: readonly string[], k: number) {
  checkIds(exclude);
  const left = new Set(exclude);
  return {
    wanted: count(k + left.size),
    without: (list: readonly T[]): T[] => list.filter(({ item }) => !left.has(item)).slice(0, k),
  };
}

/** string[n, m], padded with ''. */
function padded(lists: readonly (readonly string[])[]): Tensor {
  const width = lists.reduce((most, list) => Math.max(most, list.length), 0);
  const rows = lists.map((list) => [...list, ...Array<string>(width - list.length).fill('')]);
  return strings(rows.flat(), [lists.length, width]);
}

/** int64[1] */
function count(k: number): Tensor {
  if (!Number.isSafeInteger(k) || k < 1)
    throw new UserError('argument', `k is ${k}; give a whole number from 1`);
  return new Tensor('int64', BigInt64Array.of(BigInt(k)), [1]);
}

/** Rows of a string[n, m] without their padding. */
function rowsOf({ data, dims: [rows, width] }: Tensor): string[][] {
  return Array.from({ length: rows }, (_, row) =>
    (data as string[]).slice(row * width, (row + 1) * width).filter((id) => id !== ''),
  );
}

/** Items and numbers of each row of a string[n, k] and a float[n, k], or of one row [k], without their padding. */
function listsOf<Name extends string>(name: Name, ids: Tensor, numbers: Tensor) {
  const [rows, width] = ids.dims.length === 1 ? [1, ids.dims[0]] : ids.dims;
  const all = (ids.data as string[]).map(
    (item, at) => ({ item, [name]: numbers.data[at] }) as { item: string } & Record<Name, number>,
  );
  return Array.from({ length: rows }, (_, row) =>
    all.slice(row * width, (row + 1) * width).filter(({ item }) => item !== ''),
  );
}
