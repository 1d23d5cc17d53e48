import type { InferenceSession, Tensor } from 'onnxruntime-common';
import {
  type Artifact,
  headFile,
  headOf,
  MANIFEST,
  type Manifest,
  MOST_ROWS,
  type TrainedFor,
  trainedFor,
} from '../artifact/manifest.ts';
import { UserError } from '../errors.ts';
import type { Runtime, Stop } from '../run/runtime.ts';
import { mapValues } from '../util/map-values.ts';
import * as expected from '../util/options.ts';
import { checkOptions, type Expected, type OptionTable } from '../util/options.ts';
import type { FoldedIn, ListOptions, Own, Recommended, RecommendOptions, Rows, Similar } from './answers.ts';
import { checkExcludeByUser, checkIds, checkOwn } from './checks.ts';
import { runInChunks } from './chunks.ts';
import { allFoldedIn, foldedIn, isOfSeveral, type Latest, latestOf, type Run } from './fold-in.ts';
import { type Item, itemsOf, titlesOf } from './tables.ts';
import { count, listsOf, padded, recommendedOf, rowsOf, strings } from './tensors.ts';

export type { TrainedFor } from '../artifact/manifest.ts';
export type * from './answers.ts';
export type { Item } from './tables.ts';

/** A trained model that answers by ids, with the files of an artifact, on any runtime. */
export class Recommender {
  /** Titles by item id; empty if the artifact has none. */
  readonly titles: ReadonlyMap<string, string>;
  /** All items, in the order of their rows; empty if the artifact has no `items.json`. */
  readonly items: readonly Item[];
  private readonly known: ReadonlySet<string>;
  private readonly sessions = new Map<string, Promise<InferenceSession>>();
  private readonly running = new Set<Promise<unknown>>();
  private signal: Stop | undefined;

  private constructor(
    readonly artifact: Artifact,
    private readonly runtime: Runtime,
  ) {
    this.titles = titlesOf(artifact);
    this.items = itemsOf(artifact);
    this.known = new Set(this.items.map(({ item }) => item));
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
    const session = await this.runtime
      .createSession(bytes, { threads: 1, batch: this.rowsPerRun(head) })
      .catch((error: Error) => {
        if (error instanceof UserError) throw error;
        const [reason] = error.message.split('\n');
        const isMemory = /bad_alloc|allocate|out of memory/i.test(reason);
        throw new UserError(
          isMemory ? 'device' : 'model',
          `${name}: ${this.runtime.name} refuses it: ${reason}; ${isMemory ? 'free some memory' : 'train the model again'}`,
        );
      });
    const missing = INPUTS[head]?.find((input) => !session.inputNames.includes(input));
    if (missing !== undefined)
      throw new UserError(
        'model',
        `${name}: has no input ${missing}, so it is another file; copy the model's whole folder again`,
      );
    const isRated = session.inputNames.includes('rating');
    if (head.startsWith('fold-in') && isRated !== (this.kind === 'ratings'))
      throw new UserError(
        'model',
        `${name}: is of a model of ${isRated ? 'ratings' : 'interactions'}, but ${MANIFEST} is of one of ${this.kind}; train the model again`,
      );
    return session;
  }

  /** Runs a head on tensors, in chunks of rows that bound its memory. */
  async run(head: string, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const running = this.session(head).then((session) =>
      runInChunks(session, feeds, this.rowsPerRun(head), this.signal),
    );
    this.running.add(running);
    return running.finally(() => this.running.delete(running));
  }

  /** The same recommender, whose questions fail when the signal aborts: those that wait, and those that have further runs. */
  until(signal: Stop): Recommender {
    // Not by the constructor, which reads the artifact again.
    return Object.assign(Object.create(Recommender.prototype), this, { signal });
  }

  /** What the model was trained for. */
  get objective(): TrainedFor {
    return trainedFor(this.artifact.manifest);
  }

  /** What the model was trained on. */
  get kind(): Manifest['data']['kind'] {
    return this.artifact.manifest.data.kind;
  }

  /** Rows of a request that a head takes in one run. */
  rowsPerRun(head: string): number {
    return this.artifact.manifest.files[`${head}.onnx`]?.batch ?? MOST_ROWS;
  }

  /**
   * Predicts a rating, or one for each pair of ids. For an id that the model has never seen it takes the average of all
   * rows.
   *
   * @param user a user id, or ids, [n]
   * @param item an item id, or ids, [n]
   * @returns a rating, or ratings, [n]
   * @throws UserError for lists of different lengths, an id that is not a string or has a NUL character, or a model that was
   *   trained to rank alone
   */
  predict(users: readonly string[], items: readonly string[]): Promise<Float32Array>;
  predict(user: string, item: string): Promise<number>;
  async predict(
    users: string | readonly string[],
    items: string | readonly string[],
  ): Promise<number | Float32Array> {
    const [pairs, pick] = pairsOf('predict', users, items);
    const { rating } = await this.run('predict', pairs);
    if (rating) return pick(rating.data as Float32Array);
    throw new UserError(
      'model',
      'the model predicts no ratings, because it was trained to rank; ask score(users, items)',
    );
  }

  /**
   * Scores an item for a user, or each pair of ids. Of two items the user likes the one with the higher score better. For
   * an id that the model has never seen it takes the average of all rows; a model that was trained to rank gives an unknown
   * user how popular the item is.
   *
   * @param user a user id, or ids, [n]
   * @param item an item id, or ids, [n]
   * @returns a score, or scores, [n]
   * @throws UserError for lists of different lengths, an id that is not a string or has a NUL character, or a model of both
   *   objectives, which gives the scores of its lists alone
   */
  score(users: readonly string[], items: readonly string[]): Promise<Float32Array>;
  score(user: string, item: string): Promise<number>;
  async score(
    users: string | readonly string[],
    items: string | readonly string[],
  ): Promise<number | Float32Array> {
    const [pairs, pick] = pairsOf('score', users, items);
    const { score, rating } = await this.run('predict', pairs);
    if (score) return pick(score.data as Float32Array);
    // Older models have ratings alone, whose order is the same.
    if (this.objective === 'rating') return pick(rating.data as Float32Array);
    throw new UserError(
      'model',
      'the model predicts ratings of pairs; ask predict(users, items), or recommend(users) for lists with scores',
    );
  }

  /**
   * Recommends items to a user, the best first: a list for a user, or a list for each of many. A user that the model has
   * never seen gets what is popular; from a model that was trained to predict ratings alone, what the average of all users
   * would like.
   *
   * @param user a user id, or ids, [n]
   * @returns a list, or lists, [n]
   * @throws UserError for an id that is not a string or has a NUL character, or a `k` that is not a whole number from 1
   */
  recommend(users: readonly string[], options?: RecommendOptions): Promise<Recommended[][]>;
  recommend(user: string, options?: RecommendOptions): Promise<Recommended[]>;
  async recommend(
    users: string | readonly string[],
    options: RecommendOptions = {},
  ): Promise<Recommended[] | Recommended[][]> {
    if (isOne(users)) return (await this.recommend([users], options))[0];
    checkOptions(options, RECOMMEND_OPTIONS);
    const { k = 10, exclude = [], excludeByUser = NONE, includeSeen = false } = options;
    checkIds(exclude);
    checkExcludeByUser(excludeByUser);
    checkIds(users);
    await this.session('recommend');
    const rows = this.rowsPerRun('recommend');
    const found: Recommended[][] = [];
    // Chunk by chunk, because the longest list of a chunk makes all of its lists as long.
    for (let from = 0; from < users.length; from += rows) {
      const chunk = users.slice(from, from + rows);
      const user = strings(chunk);
      let lists = chunk.map((id) => {
        const own = excludeByUser.get(id) ?? [];
        checkIds(own);
        return [...exclude, ...own];
      });
      if (!includeSeen && this.artifact.manifest.files['seen.onnx']) {
        const seen = rowsOf((await this.run('seen', { user })).item);
        lists = lists.map((list, row) => [...list, ...seen[row]]);
      }
      const answer = await this.run('recommend', { user, k: count(k), exclude: padded(lists) });
      found.push(...recommendedOf(answer));
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
  similar(items: readonly string[], options?: ListOptions): Promise<Similar[][]>;
  similar(item: string, options?: ListOptions): Promise<Similar[]>;
  async similar(
    items: string | readonly string[],
    options: ListOptions = {},
  ): Promise<Similar[] | Similar[][]> {
    if (isOne(items)) return (await this.similar([items], options))[0];
    checkOptions(options, LIST_OPTIONS);
    checkIds(items);
    const { without, wanted } = leavingOut<Similar>(options);
    const { similar, similarity } = await this.run('similar', { item: strings(items), k: wanted });
    return listsOf('similarity', similar, similarity).map(without);
  }

  /**
   * Recommends to a person that the model has never seen, from some of their ratings, or from what they have (fold-in), or to
   * each of several people: fits the person's factors to them. Items that the model has never seen are ignored. What several
   * people get from a model that was trained to rank has no predicted ratings.
   *
   * @param own of a person, or of several people, [n]: ratings, or, for a model that was trained on interactions, ids of items
   * @returns what the person gets, or each of them, [n]
   * @throws UserError for ratings where the model has none, a rating outside the range of the training ratings, an id that is not a string or has a NUL
   *   character, or a `k` that is not a whole number from 1
   */
  foldIn(own: Own, options?: ListOptions): Promise<FoldedIn>;
  foldIn(people: readonly Own[], options?: ListOptions): Promise<FoldedIn[]>;
  async foldIn(own: Own | readonly Own[], options: ListOptions = {}): Promise<FoldedIn | FoldedIn[]> {
    checkOptions(options, LIST_OPTIONS);
    const { without, wanted } = leavingOut<Recommended>(options);
    const limited = (one: FoldedIn): FoldedIn => ({ ...one, recommended: without(one.recommended) });
    const ofOne = (one: Own): Latest => {
      checkOwn(one, this.artifact);
      const latest = latestOf(one);
      // The files ignore unknown items, but would take memory for them.
      return this.known.size > 0 ? new Map([...latest].filter(([item]) => this.known.has(item))) : latest;
    };
    const { files } = this.artifact.manifest;
    const how = {
      run: ((head, feeds) => this.run(head, feeds)) satisfies Run,
      k: wanted,
      isRated: this.kind === 'ratings',
      atOnce: files['fold-in-many.onnx'] && this.rowsPerRun('fold-in-many'),
    };
    if (!isOfSeveral(own)) return limited(await foldedIn(ofOne(own), how));
    return (await allFoldedIn(own.map(ofOne), how)).map(limited);
  }

  /**
   * What the model has learned about an item, or items: their rows of each item parameter, by the parameter's name, such
   * as `item_factors`. An item that the model has never seen has the average of all rows.
   *
   * @param item an item id, or ids, [n]
   * @returns of each parameter the row, or the rows, [n, …]
   * @throws UserError for a model without item parameters, or an id that is not a string or has a NUL character
   */
  factors(items: readonly string[]): Promise<Record<string, Rows>>;
  factors(item: string): Promise<Record<string, Float32Array>>;
  async factors(items: string | readonly string[]): Promise<Record<string, Float32Array | Rows>> {
    if (isOne(items)) return mapValues(await this.factors([items]), ({ data }) => data);
    checkIds(items);
    const rows = await this.run('factors', { item: strings(items) });
    return mapValues(rows, ({ dims, data }) => ({ dims, data: data as Float32Array }));
  }

  /** Frees the memory of the sessions, after the questions that were asked before. */
  async release(): Promise<void> {
    const opening = [...this.sessions.values()];
    // Later questions open new sessions.
    this.sessions.clear();
    await Promise.allSettled(this.running);
    const opened = await Promise.allSettled(opening);
    for (const session of opened) if (session.status === 'fulfilled') await session.value.release();
  }
}

/** For an argument that is a `Recommender`. Not by instanceof, because it may come from another copy of the code. */
export const someRecommender: Expected = {
  fits: (value) => {
    const { artifact, predict } = (value ?? {}) as Partial<Recommender>;
    return typeof predict === 'function' && typeof artifact === 'object';
  },
  give: 'a Recommender, such as that of load',
};

const LIST_OPTIONS: OptionTable<ListOptions> = { k: expected.length, exclude: expected.checkedLater };
const RECOMMEND_OPTIONS: OptionTable<RecommendOptions> = {
  ...LIST_OPTIONS,
  excludeByUser: expected.checkedLater,
  includeSeen: expected.flag,
};
/** What the files take that have a fixed form. */
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  predict: ['user', 'item'],
  recommend: ['user', 'k', 'exclude'],
  similar: ['item', 'k'],
  'fold-in': ['item', 'k'],
  'fold-in-many': ['item', 'k'],
  factors: ['item'],
  seen: ['user'],
};
const NONE: ReadonlyMap<string, readonly string[]> = new Map();

/** Whether this is one id, not a list. A number counts as an id here, and is refused later. */
const isOne = (ids: string | readonly string[]): ids is string => !Array.isArray(ids);

/** The inputs of `predict.onnx`, and what to return of its answer: a number for a pair, or all. */
function pairsOf(
  method: string,
  users: string | readonly string[],
  items: string | readonly string[],
): readonly [Record<string, Tensor>, (all: Float32Array) => number | Float32Array] {
  if (isOne(users) && isOne(items)) return [pairsOf(method, [users], [items])[0], (all) => all[0]];
  if (isOne(users) || isOne(items))
    throw new UserError('argument', `${method} takes a user and an item, or a list of each`);
  checkIds(users);
  checkIds(items);
  if (users.length !== items.length)
    throw new UserError(
      'argument',
      `${users.length} users but ${items.length} items; give as many of one as of the other`,
    );
  return [{ user: strings(users), item: strings(items) }, (all) => all];
}

/** The number of items to ask for, and a function that removes the excluded items and those beyond `k` from a list. */
function leavingOut<T extends { readonly item: string }>({ k = 10, exclude = [] }: ListOptions) {
  checkIds(exclude);
  const left = new Set(exclude);
  return {
    wanted: count(Math.min(k + left.size, Number.MAX_SAFE_INTEGER)),
    without: (list: readonly T[]): T[] => list.filter(({ item }) => !left.has(item)).slice(0, k),
  };
}
