import type { Vocabulary } from '../../graphs/heads/serving.ts';
import type { DataFacts, Model, ModelDefinition } from '../../graphs/models/model.ts';
import { buildHeads } from '../artifact/heads.ts';
import type { Artifact, Manifest } from '../artifact/manifest.ts';
import { checkTrainable, type Ratings, rangeOf, selectRows } from '../data/dataset/ratings.ts';
import { isStored, type StoredRatings } from '../data/dataset/stored.ts';
import { UserError } from '../errors.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import { PRECISIONS, type Precision } from '../onnx/compress.ts';
import { encodeModel } from '../onnx/index.ts';
import { sha256 } from '../util/hash.ts';
import { mapValues } from '../util/map-values.ts';
import { VERSION } from '../version.ts';
import { epochEngine } from './engines/epoch/engine.ts';
import { epochGraphOfAnySize } from './engines/epoch/graph.ts';
import { DivergedError, type FitOptions, type Fitted, fitParameters } from './fit.ts';
import {
  ADAMW,
  describeSettings,
  type Settings,
  type SettingsOptions,
  settingsFor,
} from './recipe/settings.ts';

/** What goes into a model's files, beside what it has learned. */
export interface FileOptions {
  /** How the numbers of large tables are kept; float32 when absent. */
  readonly precision?: Precision;
  /** Keep what each user rated, held out or not, so that recommendations leave it out: 2 or 4 bytes a rating. */
  readonly keepSeen?: boolean;
  /** Titles by item id. */
  readonly titles?: ReadonlyMap<string, string>;
  /** Genres by item id. */
  readonly genres?: ReadonlyMap<string, readonly string[]>;
}

export interface TrainerOptions
  extends SettingsOptions,
    FileOptions,
    Pick<
      FitOptions,
      'runtime' | 'engine' | 'valid' | 'checkpoint' | 'signal' | 'ratingsARun' | 'onProgress'
    > {}

/**
 * Trains a model on any runtime, in Node or in a page.
 *
 * @throws UserError if the ratings or the settings cannot train a model, training diverges, or it is stopped before its
 * first epoch.
 */
export async function trainModel(
  ratings: Ratings | StoredRatings,
  definition: ModelDefinition,
  options: TrainerOptions,
): Promise<Trained> {
  if (!isStored(ratings)) {
    checkRows(ratings, 'the ratings', 0);
    checkIds(ratings, 'the ratings');
  }
  checkTrainable(ratings, 'the ratings');
  if (options.valid) {
    checkRows(options.valid, 'the validation ratings', 1);
    checkVocabulary(options.valid, ratings, 'the validation ratings');
  }
  const facts = factsOf(ratings);
  const model = definition(facts);
  const { runtime, engine = epochEngine, checkpoint } = options;
  if (typeof engine.prepare !== 'function')
    throw new UserError('engine is not one; give await ortTraining(), or leave it out');
  if (engine.library && runtime.device && runtime.device !== 'cpu')
    throw new UserError(`${engine.library.name} trains on the CPU; leave out the device, or the engine`);
  const chosen = Object.entries(options).filter(([, choice]) => choice !== undefined);
  const usual = engine.defaults ?? (runtime.device && runtime.device !== 'cpu' ? ADAMW : {});
  const wanted = settingsFor(model, { ...usual, ...Object.fromEntries(chosen) }, facts);
  const settings = engine.adopt?.(wanted, options) ?? wanted;
  if (settings.patience !== undefined && !options.valid)
    throw new UserError('patience needs validation ratings; give valid, or leave patience out');
  if (options.precision && !PRECISIONS.includes(options.precision))
    throw new UserError(`precision is "${options.precision}"; give one of ${PRECISIONS.join(', ')}`);
  const data = { ...facts, fingerprint: await fingerprint(ratings, options.valid) };
  const described = {
    model: { name: model.name, config: model.config as Record<string, unknown> },
    data,
    training: describeSettings(settings),
  };
  try {
    const fitted = await fitParameters({ ...options, engine, model, ratings, settings, described });
    const libraries = [runtime, engine.library ?? runtime].map(({ name, version }) => [name, version]);
    const about = {
      ...described,
      // Where one seed does not give the same bytes.
      ...(runtime.device && runtime.device !== 'cpu' && { device: runtime.device }),
      libraries: Object.fromEntries(libraries),
    };
    return await layOut({ ...options, ratings, model, settings, fitted, about });
  } catch (error) {
    if (error instanceof DivergedError) await checkpoint?.remove();
    throw error;
  }
}

/** @param unknown 1 where ratings of the unknown row are welcome, else 0 */
function checkRows(ratings: Ratings, name: string, unknown: 0 | 1): void {
  const count = ratings.ratings.length;
  if (count === 0) throw new UserError(`${name}: there are none`);
  for (const [kind, ids, rows] of [
    ['user', ratings.userIds, ratings.users],
    ['item', ratings.itemIds, ratings.items],
  ] as const) {
    if (rows.length !== count)
      throw new UserError(`${name}: ${count} ratings, but ${rows.length} ${kind} rows`);
    const at = rows.findIndex((row) => !(row >= 0 && row < ids.length + unknown));
    if (at >= 0)
      throw new UserError(
        `${name}: number ${at + 1} has ${kind} row ${rows[at]}, but there are ${ids.length} ${kind} ids`,
      );
  }
  const at = ratings.ratings.findIndex((rating) => !Number.isFinite(rating));
  if (at >= 0)
    throw new UserError(`${name}: number ${at + 1} is ${ratings.ratings[at]}, not a finite number`);
}

/** Files pad lists of ids with '', and ONNX Runtime in Node ends an id at its first NUL. */
function checkIds({ userIds, itemIds }: Vocabulary, name: string): void {
  for (const [kind, ids] of [
    ['user', userIds],
    ['item', itemIds],
  ] as const) {
    const at = ids.findIndex((id) => typeof id !== 'string' || id === '' || id.includes('\0'));
    if (at >= 0)
      throw new UserError(
        `${name}: ${kind} id ${at + 1} is ${JSON.stringify(ids[at])}; give a text of at least one character, without NUL`,
      );
    if (new Set(ids).size < ids.length) throw new UserError(`${name}: two of the ${kind} ids are the same`);
  }
}

/** Row numbers mean nothing with other ids. */
function checkVocabulary(ratings: Vocabulary, known: Vocabulary, name: string): void {
  for (const key of ['userIds', 'itemIds'] as const) {
    const [ids, others] = [ratings[key], known[key]];
    if (ids !== others && !(ids.length === others.length && ids.every((id, row) => id === others[row])))
      throw new UserError(
        `${name}: their ${key} are not those of training; split the ratings, or read with { vocabulary }`,
      );
  }
}

/** What a model needs to know of the ratings that it is trained on. */
export function factsOf(data: Ratings | StoredRatings): DataFacts {
  const { userIds, itemIds } = data;
  if (isStored(data)) {
    const { count, low, high, mean } = data;
    return { users: userIds.length, items: itemIds.length, ratings: count, low, high, mean };
  }
  const { ratings } = data;
  const { low, high } = rangeOf(ratings);
  const mean = ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  return { users: userIds.length, items: itemIds.length, ratings: ratings.length, low, high, mean };
}

/** Of the hashes of all parts, so that none is copied. */
export async function fingerprint(...parts: (Ratings | StoredRatings | undefined)[]): Promise<string> {
  const utf8 = new TextEncoder();
  let hashes = '';
  for (const part of parts) {
    if (!part) continue;
    if (isStored(part)) {
      hashes += part.fingerprint;
      continue;
    }
    hashes += await sha256(utf8.encode(JSON.stringify([part.userIds, part.itemIds])));
    for (const { buffer, byteOffset, byteLength } of [part.users, part.items, part.ratings])
      hashes += await sha256(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return sha256(utf8.encode(hashes));
}

/** Lays out the files of a model that has been fitted. */
async function layOut({
  ratings,
  model,
  settings,
  fitted,
  about,
  runtime,
  precision,
  titles,
  genres,
  keepSeen,
  valid: heldOut,
}: TrainerOptions & {
  readonly ratings: Ratings | StoredRatings;
  readonly model: Model;
  readonly settings: Settings;
  readonly fitted: Fitted;
  readonly about: Pick<Manifest, 'model' | 'data' | 'training' | 'device' | 'libraries'>;
}): Promise<Trained> {
  const sample = isStored(ratings) ? await ratings.sample(SAMPLE) : ratings;
  const predicted = await fitted.scorer.score(fitted.parameters, sample.users, sample.items);
  const { rmse } = metrics(predicted, sample.ratings);
  if (!Number.isFinite(rmse)) throw new DivergedError(settings, fitted.epoch);
  const { valid } = fitted.history[fitted.epoch - 1];
  const started = performance.now();
  const heads = await buildHeads({
    model,
    trained: fitted.parameters,
    vocabulary: ratings,
    error: valid?.rmse ?? rmse,
    runtime,
    metadata: { cofactor: VERSION, model: model.name, config: JSON.stringify(model.config) },
    precision,
    seen: keepSeen ? await knownPairs(ratings, heldOut) : undefined,
  });
  if (titles) heads['titles.json'] = { bytes: titlesFile(titles, ratings.itemIds) };
  heads['items.json'] = { bytes: itemsFile(ratings, genres) };
  const graph = epochGraphOfAnySize(model, settings);
  if (graph) heads['train.onnx'] = { bytes: encodeModel(graph) };
  const files: Manifest['files'] = {};
  for (const [name, { bytes, batch }] of Object.entries(heads))
    files[name] = { bytes: bytes.length, sha256: await sha256(bytes), ...(batch && { batch }) };
  const seconds = { ...fitted.seconds, export: (performance.now() - started) / 1000 };
  const manifest: Manifest = {
    format: 1,
    cofactor: VERSION,
    ...about,
    ...(precision && { precision }),
    history: [...fitted.history],
    metrics: { train: { rmse }, ...(valid && { valid }) },
    files,
  };
  const { userIds, itemIds } = ratings;
  return new Trained({
    artifact: { manifest, files: mapValues(heads, ({ bytes }) => bytes) },
    seconds,
    fitted,
    known: { userIds, itemIds },
  });
}

/** A trained model, ready to be asked. */
export class Trained {
  constructor(
    readonly parts: {
      readonly artifact: Artifact;
      readonly seconds: Fitted['seconds'] & { readonly export: number };
      readonly fitted: Fitted;
      readonly known: Vocabulary;
    },
  ) {}

  /** The files that serve it, and what is said of them. */
  get artifact(): Artifact {
    return this.parts.artifact;
  }

  get manifest(): Manifest {
    return this.parts.artifact.manifest;
  }

  /** What building the graphs, training, and laying out the files took. */
  get seconds(): Fitted['seconds'] & { readonly export: number } {
    return this.parts.seconds;
  }

  /**
   * How well the model predicts ratings given by the row numbers it was trained with (see the splits).
   *
   * @throws UserError if they have other ids.
   */
  async evaluate(actual: Ratings): Promise<Metrics> {
    const { fitted, known } = this.parts;
    checkRows(actual, 'the ratings', 1);
    checkVocabulary(actual, known, 'the ratings');
    const { users, items, ratings } = actual;
    return metrics(await fitted.scorer.score(fitted.parameters, users, items), ratings);
  }
}

/** Ratings that say well enough how large the training error is. */
const SAMPLE = 500_000;

/** The rows of all ratings, held-out ones too, of ids that the model knows. */
async function knownPairs(
  ratings: Ratings | StoredRatings,
  valid?: Ratings,
): Promise<Pick<Ratings, 'users' | 'items'>> {
  const trained = isStored(ratings) ? await ratings.sample(ratings.count) : ratings;
  if (!valid) return trained;
  const { userIds, itemIds } = ratings;
  const isKnown = (place: number): boolean =>
    valid.users[place] < userIds.length && valid.items[place] < itemIds.length;
  const known = selectRows(valid, valid.users.map((_, place) => place).filter(isKnown));
  return { users: joined(trained.users, known.users), items: joined(trained.items, known.items) };
}

function joined(one: Int32Array, other: Int32Array): Int32Array {
  const all = new Int32Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}

/** The titles of the items that the model knows, by their ids. */
function titlesFile(titles: ReadonlyMap<string, string>, itemIds: readonly string[]): Uint8Array {
  const known = itemIds.filter((id) => titles.has(id)).map((id) => [id, titles.get(id)]);
  return jsonFile(Object.fromEntries(known));
}

/** What the ratings say of each item, column by column. */
function itemsFile(
  ratings: Ratings | StoredRatings,
  genres?: ReadonlyMap<string, readonly string[]>,
): Uint8Array {
  const { itemIds } = ratings;
  const { itemCounts, itemAverages } = isStored(ratings) ? ratings : averagesOf(ratings);
  return jsonFile({
    item: itemIds,
    ratings: Array.from(itemCounts),
    average: Array.from(itemAverages, (average) => Number(average.toFixed(3))),
    ...(genres && { genres: itemIds.map((id) => genres.get(id) ?? []) }),
  });
}

function averagesOf({ itemIds, items, ratings }: Ratings) {
  const itemCounts = itemIds.map(() => 0);
  const sums = itemIds.map(() => 0);
  for (const [place, row] of items.entries()) {
    itemCounts[row]++;
    sums[row] += ratings[place];
  }
  const mean = sums.reduce((total, sum) => total + sum, 0) / ratings.length;
  // An item that is not rated has the average of all.
  return {
    itemCounts,
    itemAverages: sums.map((sum, row) => (itemCounts[row] ? sum / itemCounts[row] : mean)),
  };
}

const jsonFile = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
