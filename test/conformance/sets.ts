import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { Tensors, Vocabulary } from '../../graphs/heads/serving.ts';
import { isSolved, learned, modelNames } from '../../graphs/models/index.ts';
import type { Model } from '../../graphs/models/model.ts';
import { buildHeads } from '../../src/artifact/heads.ts';
import { headOf } from '../../src/artifact/manifest.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { decodeModel } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { ExportOptions } from '../../src/train/artifact.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { generator, normals, type RandomGenerator } from '../../src/util/random.ts';
import type { Case, JsonTensor } from './cases.ts';
import { modelsIn, setOf, writeGolden } from './golden.ts';

const SAMPLE = fileURLToPath(
  new URL('../../src/data/sample/ml-latest-small/ratings.csv.gz', import.meta.url),
);

/** Ids that a careless runtime would trim, fold, normalize, take for numbers, or cut off. */
const IDS = {
  difficult: [
    ...['1', '01', '1e3', '-1', 'NaN', 'null', ' ', '"', ',', '\\', '\t', '\u0001', '\u00a0', '<b>'],
    ...['Zoë', 'Zoe\u0308', 'i\u0307', 'Ω', 'два\nряда', 'مرحبا', '張偉', '\uffff'],
  ],
  /** Beyond U+FFFF: two units of UTF-16, four bytes of UTF-8. */
  astral: ['\u{1F600}', '\u{1F601}', '👩‍🚀', '𠮷野家'],
  'byte-order-mark': ['\ufeff', '1', '\ufeff1', '\ufeffmore than 16 bytes', 'more than 16 bytes'],
};

/** Sizes by the names of the axes, and how many items are asked for: one of each, many, and more items than there are. */
const SIZES = [
  { n: 1, m: 1, k: 1 },
  { n: 50, m: 20, k: 10 },
  { n: 2, m: 50, k: 20_000 },
];

/**
 * Makes a golden set of every head of all models: as trained on the sample data, with difficult ids, for one objective
 * alone, on interactions without ratings, in each precision, and with items that tie. The folder of a file says which.
 *
 * @param recipe of the training on the sample data
 */
export async function makeGoldenSet(folder: string, recipe: Recipe = {}): Promise<void> {
  const { ratings: sample } = await readRatings(SAMPLE);
  const difficult = inventedRatings(IDS.difficult);
  const vocabularies = new Map<string, Vocabulary>();
  for (const name of modelNames) {
    const trainings: readonly [kind: string, ratings: Ratings, options?: ExportOptions, recipe?: Recipe][] = [
      ['sample', sample, {}, isSolved(name) ? {} : recipe],
      ...Object.entries(IDS).map(([kind, ids]): [string, Ratings] => [kind, inventedRatings(ids)]),
      isSolved(name)
        ? ['neighbors', difficult, {}, { neighbors: 3 }]
        : ['rating', difficult, {}, { objective: 'rating' }],
      ['ranking', difficult, {}, { objective: 'ranking' }],
      ['interactions', new Ratings({ ...difficult, kind: 'interactions' })],
      ['float16', difficult, { precision: 'float16' }],
      ['int8', difficult, { precision: 'int8' }],
    ];
    for (const [kind, ratings, options, chosen] of trainings) {
      const fitted = await train(ratings, { ...chosen, model: name });
      const set = `${name}-${kind}`;
      vocabularies.set(set, ratings);
      await fitted.save(join(folder, set), { ...options, seen: true });
    }
    const { define } = learned(name) ?? {};
    if (!define) continue;
    const { userIds, itemIds, ratings } = difficult;
    const facts = { users: userIds.length, items: itemIds.length, ratings: ratings.length };
    const model = define({})({ ...facts, low: 1, high: 5, mean: 3 });
    const heads = await buildHeads({
      rating: { model, trained: tiedParameters(model), error: 1 },
      vocabulary: difficult,
      runtime: await nodeRuntime(),
    });
    const set = `${model.name}-ties`;
    vocabularies.set(set, difficult);
    await mkdir(join(folder, set));
    for (const [name, { bytes }] of Object.entries(heads)) await writeFile(join(folder, set, name), bytes);
  }
  const cases: Case[] = [];
  for (const model of await modelsIn(folder)) {
    if (headOf(basename(model)) === undefined) continue;
    const vocabulary = vocabularies.get(setOf(model)) as Vocabulary;
    cases.push(...casesOf(model, await readFile(join(folder, model)), vocabulary));
  }
  await writeGolden(folder, cases, ort);
}

/** Ratings at random, by users of these ids and more like them, of items that are called the same. */
function inventedRatings(ids: readonly string[]): Ratings {
  const all = Array.from(
    { length: 120 },
    (_, row) => ids[row % ids.length] + (row < ids.length ? '' : `#${row}`),
  );
  const random = generator(1);
  const pairs = all.flatMap((_, user) => all.map((_, item) => [user, item]));
  const rated = pairs.filter(() => uniformInt(random, 0, 2) > 0);
  return new Ratings({
    userIds: all,
    itemIds: all,
    users: Int32Array.from(rated, ([user]) => user),
    items: Int32Array.from(rated, ([, item]) => item),
    ratings: Float32Array.from(rated, () => uniformInt(random, 1, 5)),
  });
}

/** Random parameters in which all items are one of seven. */
function tiedParameters(model: Model): Tensors {
  const random = generator(1);
  return Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims, rowsOf }]) => {
      const data = normals(
        dims.reduce((product, size) => product * size, 1),
        0.2,
        random,
      );
      const period = (7 * data.length) / dims[0];
      if (rowsOf === 'item') for (const place of data.keys()) data[place] = data[place % period];
      return [name, { dims, data }];
    }),
  );
}

/** Cases for a head, whichever it is, by the names of its inputs and of their axes. */
function casesOf(model: string, bytes: Uint8Array, { userIds, itemIds }: Vocabulary): Case[] {
  const random = generator(1);
  const elements: Readonly<Record<string, (k: number) => string | number>> = {
    user: () => someId(userIds, random),
    item: () => someId(itemIds, random),
    exclude: () => (uniformInt(random, 0, 2) ? someId(itemIds, random) : ''),
    rating: () => uniformInt(random, 2, 10) / 2,
    k: (k) => k,
  };
  return SIZES.map(({ k, ...sizes }) => {
    const inputs = decodeModel(bytes).graph.inputs.map(({ name, dtype, dims }) => {
      const shape = dims.map((dim) => (typeof dim === 'number' ? dim : sizes[dim as keyof typeof sizes]));
      const length = shape.reduce((product, size) => product * size, 1);
      const data = Array.from({ length }, () => elements[name](k));
      return [name, { type: dtype as JsonTensor['type'], shape, data }];
    });
    return { model, inputs: Object.fromEntries(inputs) };
  });
}

/** A known id; or, one in six, one that looks like it, or none. */
function someId(known: readonly string[], random: RandomGenerator): string {
  const id = known[uniformInt(random, 0, known.length - 1)];
  const others = ['', `${id} `, `0${id}`, id.toUpperCase(), id.normalize('NFD')];
  return others[uniformInt(random, 0, 6 * others.length - 1)] ?? id;
}
