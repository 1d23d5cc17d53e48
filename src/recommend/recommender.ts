import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { type Artifact, headOf } from '../artifact/manifest.ts';
import { UserError } from '../errors.ts';
import type { Runtime } from '../run/runtime.ts';
import { mapValues } from '../util/map-values.ts';
import { decimal } from './listed.ts';
import { runInPieces } from './pieces.ts';

/** An item and a rating of it: one that a user would give, or has given. */
export interface ItemRating {
  readonly item: string;
  readonly rating: number;
}

export interface Similar {
  readonly item: string;
  /** The cosine of the angle between both items' factors: −1 to 1. */
  readonly similarity: number;
}

/** What the training ratings say of an item. */
export interface Item {
  readonly item: string;
  /** How many there are. */
  readonly ratings: number;
  readonly average: number;
  readonly genres?: readonly string[];
}

export interface RecommendOptions {
  /** How many items a user; 10 when absent. Fewer come where there are not so many. */
  readonly k?: number;
  /** Items to leave out, for each of the users. */
  readonly exclude?: readonly (readonly string[])[];
  /**
   * Whether items that the user rated in training may come too. When absent they are left out, if the artifact keeps
   * them.
   */
  readonly includeSeen?: boolean;
}

/** A person that the model has never seen. */
export interface FoldedIn {
  /** The person's row of each user parameter, by its name. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** The best items that are not among those rated. */
  readonly recommended: readonly ItemRating[];
}

/** Answers questions with an artifact's files, on any runtime. */
export class Recommender {
  /** Titles by item id; empty where the artifact has none. */
  readonly titles: ReadonlyMap<string, string>;
  /** All items, in the order of their rows; empty for an artifact of a former version. */
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
   * @param heads which to open at once; the others are opened when they are first needed
   * @throws UserError if the runtime refuses a file.
   */
  static async create(
    artifact: Artifact,
    runtime: Runtime,
    heads: readonly string[] = ['predict'],
  ): Promise<Recommender> {
    const recommender = new Recommender(artifact, runtime);
    await Promise.all(heads.map((head) => recommender.session(head)));
    return recommender;
  }

  /** The names of the `.onnx` files that answer, without their ending: `predict`, `recommend`, … */
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
    // It may go better the next time.
    opening.catch(() => this.sessions.get(head) === opening && this.sessions.delete(head));
    return opening;
  }

  private async open(head: string): Promise<InferenceSession> {
    const name = `${head}.onnx`;
    const bytes = this.artifact.files[name];
    if (!bytes)
      throw new UserError(
        'model',
        `the model has no ${name}; one that can have it gets it when it is trained anew`,
      );
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

  /** Runs a head on tensors, as many rows at once as are good for it. */
  async run(head: string, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const session = await this.session(head);
    return runInPieces(session, feeds, this.rowsPerRun(head));
  }

  private rowsPerRun(head: string): number {
    return this.artifact.manifest.files[`${head}.onnx`]?.batch ?? MOST_ROWS;
  }

  /**
   * Predicted ratings, one for each pair of ids. An id that the model has never seen counts as the average.
   *
   * @param users user ids, [n]
   * @param items item ids, [n]
   * @throws UserError for lists of unlike length, or an id with a NUL character
   */
  async predict(users: readonly string[], items: readonly string[]): Promise<Float32Array> {
    if (users.length !== items.length) {
      throw new UserError(
        'argument',
        `${users.length} users but ${items.length} items: predict takes as many of one as of the other`,
      );
    }
    const { rating } = await this.run('predict', { user: strings(users), item: strings(items) });
    return rating.data as Float32Array;
  }

  /**
   * For each user the items that they would rate highest, the highest first. A user that the model has never seen gets
   * what the average of all users would like.
   *
   * @throws UserError for lists of unlike length, an id with a NUL character, or a `k` that is no whole number from 1
   */
  async recommend(
    users: readonly string[],
    { k = 10, exclude, includeSeen = false }: RecommendOptions = {},
  ): Promise<ItemRating[][]> {
    if (exclude && exclude.length !== users.length)
      throw new UserError('argument', `${users.length} users but ${exclude.length} lists to exclude`);
    const wanted = count(k);
    const rows = this.rowsPerRun('recommend');
    const found: ItemRating[][] = [];
    // Piece by piece, because the longest list of a piece makes all of its lists as long.
    for (let from = 0; from < users.length; from += rows) {
      const piece = users.slice(from, from + rows);
      const user = strings(piece);
      let lists = exclude?.slice(from, from + rows) ?? piece.map((): string[] => []);
      if (!includeSeen && this.heads.includes('seen')) {
        const rated = rowsOf((await this.run('seen', { user })).item);
        lists = lists.map((list, row) => [...list, ...rated[row]]);
      }
      const { item, rating } = await this.run('recommend', { user, k: wanted, exclude: padded(lists) });
      found.push(...listsOf('rating', item, rating));
    }
    return found;
  }

  /**
   * For each item those most like it, the most similar first; none for an item that the model has never seen.
   *
   * @throws UserError for an id with a NUL character, or a `k` that is no whole number from 1
   */
  async similar(items: readonly string[], { k = 10 }: { readonly k?: number } = {}): Promise<Similar[][]> {
    const { similar, similarity } = await this.run('similar', { item: strings(items), k: count(k) });
    return listsOf('similarity', similar, similarity);
  }

  /**
   * What a person would like whom the model has never seen, from some ratings. Items that the model has never seen are
   * passed over.
   *
   * @throws UserError for a rating beyond those of training, an id with a NUL character, or a `k` that is no whole number
   *   from 1
   */
  async foldIn(
    ratings: readonly ItemRating[],
    { k = 10, exclude = [] }: { readonly k?: number; readonly exclude?: readonly string[] } = {},
  ): Promise<FoldedIn> {
    count(k);
    const { low, high } = this.artifact.manifest.data;
    // The manifest has them as floats.
    const wrong = ratings.find(({ rating }) => !(Math.fround(rating) >= low && Math.fround(rating) <= high));
    if (wrong) {
      const [from, to] = [low, high].map(decimal);
      throw new UserError(
        'argument',
        `the rating of ${JSON.stringify(wrong.item)} is ${wrong.rating}; the model was trained on ratings from ${from} to ${to}`,
      );
    }
    // Of two ratings of an item the later counts, as in training.
    const latest = new Map(ratings.map(({ item, rating }) => [item, rating]));
    const left = new Set(exclude);
    const results = await this.run('fold-in', {
      item: strings([...latest.keys()]),
      rating: new Tensor('float32', Float32Array.from(latest.values()), [latest.size]),
      k: count(k + left.size),
    });
    const { top_item, top_rating, ...rows } = results;
    const [best] = listsOf('rating', top_item, top_rating);
    return {
      parameters: mapValues(rows, ({ data }) => data as Float32Array),
      recommended: best.filter(({ item }) => !left.has(item)).slice(0, k),
    };
  }

  /**
   * What the model has learned of items: of each item parameter, by its name, the items' rows, [n, …]. An unknown item
   * has the average of all.
   *
   * @param items item ids, [n]
   * @throws UserError for a model without item parameters, or an id with a NUL character
   */
  async factors(
    items: readonly string[],
  ): Promise<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>> {
    const rows = await this.run('factors', { item: strings(items) });
    return mapValues(rows, ({ dims, data }) => ({ dims, data: data as Float32Array }));
  }

  /** Frees the memory of the runtime. */
  async release(): Promise<void> {
    const opening = [...this.sessions.values()];
    // Who asks from now on gets a new one.
    this.sessions.clear();
    const opened = await Promise.allSettled(opening);
    for (const session of opened) if (session.status === 'fulfilled') await session.value.release();
  }
}

function parsed<T>({ files }: Artifact, name: string): T | undefined {
  return files[name] && (JSON.parse(new TextDecoder().decode(files[name])) as T);
}

/** Rows from the columns of `items.json`. */
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

/** Rows in one run of a head whose artifact says nothing of them. */
const MOST_ROWS = 8192;

/** string[n] */
function strings(ids: readonly string[], dims = [ids.length]): Tensor {
  if (!Array.isArray(ids))
    throw new UserError('argument', `ids come as a list; give [${JSON.stringify(ids)}]`);
  const other = ids.findIndex((id) => typeof id !== 'string');
  if (other >= 0) throw new UserError('argument', `${ids[other]}: ids are strings; give '${ids[other]}'`);
  // ONNX Runtime in Node ends a string at its first NUL, and would take the id for another.
  const cut = ids.find((id) => id.includes('\0'));
  if (cut !== undefined)
    throw new UserError('argument', `${JSON.stringify(cut)}: an id may not hold a NUL character`);
  return new Tensor('string', ids, dims);
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

/** The rows of a string[n, m] without their padding. */
function rowsOf({ data, dims: [rows, width] }: Tensor): string[][] {
  return Array.from({ length: rows }, (_, row) =>
    (data as string[]).slice(row * width, (row + 1) * width).filter((id) => id !== ''),
  );
}

/** The items and numbers of each row of a string[n, k] and a float[n, k], or of the one of a [k], without their padding. */
function listsOf<Name extends string>(name: Name, ids: Tensor, numbers: Tensor) {
  const [rows, width] = ids.dims.length === 1 ? [1, ids.dims[0]] : ids.dims;
  const all = (ids.data as string[]).map(
    (item, at) => ({ item, [name]: numbers.data[at] }) as { item: string } & Record<Name, number>,
  );
  return Array.from({ length: rows }, (_, row) =>
    all.slice(row * width, (row + 1) * width).filter(({ item }) => item !== ''),
  );
}
