import * as web from 'onnxruntime-web';
import { expect, describe as group, test } from 'vitest';
import type { RatingPart, Tensors } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../graphs/models/model.ts';
import { buildHeads } from '../../src/artifact/heads.ts';
import { decodeModel, GraphError } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import {
  allRatings,
  best,
  count,
  floats,
  headsOfParts,
  padded,
  rowsOf,
  type Sessions,
  strings,
} from '../support/heads.ts';
import { attention, distance, itemsAlone } from '../support/own.ts';
import { drawn, RANKED, type Ranked, rowsIn } from '../support/ranked.ts';
import { randomParameters } from './models.ts';

web.env.wasm.numThreads = 1;

const ASKED = ['user 0', 'user 7', 'nobody', 'user 7', ''];
const OUT = [['item 3', 'item 4'], [], ['item 3', 'nothing'], ['item 29'], []];

const rowIn = (id: string): number => Number(/\d+$/.exec(id)?.[0]);

/** The scores of all items for each user of a drawn model, and for one who is unknown. */
function scorer({ score }: Ranked, { part }: ReturnType<typeof drawn>) {
  return (user: string): number[] =>
    Array.from(part.counts, (ratings, item) =>
      /^user/.test(user)
        ? score(rowsIn(part, 'user', rowIn(user)), rowsIn(part, 'item', item), part.trained)
        : Math.log(ratings + 1),
    );
}

const recommend = (run: Sessions['run'], k: number) =>
  run('recommend', { user: strings(ASKED), exclude: padded(OUT), k: count(k) });

group.each(RANKED.map((ranked) => [ranked.name, ranked] as const))('a ranking of %s', async (_, ranked) => {
  const settings = drawn(ranked.definition);
  const { run, files } = await headsOfParts({ ranking: settings.part, vocabulary: settings.vocabulary });
  const scoresOf = scorer(ranked, settings);

  test.each([1, 7, 100])(
    'recommends the %i highest scores, and what is popular to who is unknown',
    async (k) => {
      const { item, score, ...others } = await recommend(run, k);
      expect(others).toEqual({});
      const width = Math.min(k, 30);
      expect(item.dims).toEqual([ASKED.length, width]);
      for (const [at, user] of ASKED.entries()) {
        const expected = best(scoresOf(user), new Set(OUT[at].map(rowIn)), width);
        const padding = Array<string>(width - expected.length).fill('');
        expect(rowsOf(item)[at]).toEqual([...expected.map(([row]) => `item ${row}`), ...padding]);
        for (const [place, one] of rowsOf<number>(score)[at].entries())
          expect(Math.abs(one - (expected[place]?.[1] ?? 0))).toBeLessThan(1e-4);
      }
    },
  );

  test('scores pairs, and predicts no ratings', async () => {
    const items = ['item 3', 'item 29', 'item 5', 'item 0', 'item 1'];
    const { score, ...others } = await run('predict', { user: strings(ASKED), item: strings(items) });
    expect(others).toEqual({});
    for (const [at, user] of ASKED.entries())
      expect(Math.abs(Number(score.data[at]) - scoresOf(user)[rowIn(items[at])])).toBeLessThan(1e-4);
    const unknown = await run('predict', { user: strings(['nobody']), item: strings(['nothing']) });
    expect([...(unknown.score.data as Float32Array)]).toEqual([0]);
  });

  test('has files of opset 13 with nothing to compute that no request changes', () => {
    for (const [name, { bytes }] of Object.entries(files)) {
      const { opsets, graph } = decodeModel(bytes);
      expect(opsets[''], name).toBe(13);
      const kept = new Set(graph.initializers.map((one) => one.name));
      const fixed = graph.nodes.filter(({ inputs }) => inputs.every((one) => kept.has(one)));
      // A loop's body uses more than its inputs.
      const views = ['Reshape', 'Squeeze', 'Unsqueeze', 'Transpose', 'Split', 'Loop'];
      for (const { operator } of fixed) expect(views, name).toContain(operator);
    }
  });

  test('is told in the metadata of each file', () => {
    for (const { bytes } of Object.values(files))
      expect(decodeModel(bytes).metadata).toMatchObject({
        model: settings.part.model.name,
        config: JSON.stringify(settings.part.model.config),
        objective: 'ranking',
      });
  });
});

/** A model of ratings for the users and items of a ranking. */
function ratingOf(definition: ModelDefinition): RatingPart {
  const model = definition({ users: 20, items: 30, ratings: 500, low: 1, high: 5, mean: 3 });
  return { model, trained: randomParameters(model), error: 0.5 };
}

const numbers = (data: unknown): number[] => [...(data as Float32Array)];

group.each<[string, ModelDefinition]>([
  ['dot-bias', dotBias({ factors: 4 })],
  ['mlp', mlp({ factors: 3, hidden: [5] })],
  ['distance', distance],
  ['attention', attention],
  ['items alone', itemsAlone],
])('a ranking with ratings of %s', async (_, definition) => {
  const [ranked] = RANKED;
  const settings = drawn(ranked.definition);
  const { part, vocabulary } = settings;
  const rating = ratingOf(definition);
  const { run, files } = await headsOfParts({ rating, ranking: part, vocabulary });
  const alone = await headsOfParts({ ranking: part, vocabulary });
  const rates = await headsOfParts({ rating, vocabulary });

  test('recommends as the ranking does, and gives the ratings', async () => {
    const all = await allRatings(rating.model, rating.trained);
    for (const k of [1, 7, 100]) {
      const { item, score, rating: given } = await recommend(run, k);
      const expected = await recommend(alone.run, k);
      expect(item.data).toEqual(expected.item.data);
      expect(score.data).toEqual(expected.score.data);
      for (const [at, user] of ASKED.entries())
        for (const [place, id] of rowsOf<string>(item)[at].entries()) {
          const ofUser = all.length > 1 && /^user/.test(user) ? all[rowIn(user)] : all[all.length - 1];
          const wanted = id === '' ? 0 : ofUser[rowIn(id)];
          expect(Math.abs(rowsOf<number>(given)[at][place] - wanted)).toBeLessThan(1e-4);
        }
    }
  });

  test('of nothing and for nobody is nothing, in Node and in WebAssembly', async () => {
    const inWasm = await web.InferenceSession.create(files['recommend.onnx'].bytes);
    for (const [users, k] of [
      [[], 4],
      [['user 1', 'nobody'], 0],
    ] as const) {
      const feeds = { user: strings(users), exclude: strings([], [users.length, 0]), k: count(k) };
      for (const results of [await run('recommend', feeds), await inWasm.run(feeds as never)])
        for (const output of ['item', 'score', 'rating'])
          expect(results[output].dims).toEqual([users.length, k]);
    }
    await inWasm.release();
  });

  test('folds a person into both', async () => {
    const feeds = (k: number) => ({
      item: strings(['item 3', 'item 9', 'nothing', 'item 11']),
      rating: floats([5, 1, 5, 4]),
      k: count(k),
    });
    const { top_rating, ...others } = await run('fold-in', feeds(100));
    const ofRanking = await alone.run('fold-in', feeds(100));
    expect(Object.keys(others)).toEqual(Object.keys(ofRanking));
    for (const [name, { data }] of Object.entries(ofRanking)) expect(others[name].data).toEqual(data);
    const ofRating = await rates.run('fold-in', feeds(100));
    const wanted = new Map(
      (ofRating.top_item.data as string[]).map((id, at) => [id, Number(ofRating.top_rating.data[at])]),
    );
    for (const [at, id] of (others.top_item.data as string[]).entries())
      expect(Math.abs(Number(top_rating.data[at]) - (wanted.get(id) as number))).toBeLessThan(1e-4);
    // Who likes nothing gets what is popular, with their own ratings.
    const disliked = { ...feeds(1), rating: floats([1, 1, 1, 1]) };
    const popular = best(Array.from(part.counts), new Set([3, 9, 11]), 1)[0][0];
    const found = await run('fold-in', disliked);
    expect(found.top_item.data).toEqual([`item ${popular}`]);
    const all = await rates.run('fold-in', { ...disliked, k: count(100) });
    const place = (all.top_item.data as string[]).indexOf(`item ${popular}`);
    expect(Number(found.top_rating.data[0])).toBeCloseTo(Number(all.top_rating.data[place]), 4);
  });

  test('predicts the ratings, and takes all else from the ranking', async () => {
    const pairs = { user: strings(ASKED), item: strings(ASKED.map((_, at) => `item ${at}`)) };
    const [both, one] = [await run('predict', pairs), await rates.run('predict', pairs)];
    expect(Object.keys(both)).toEqual(['rating']);
    expect(numbers(both.rating.data)).toEqual(numbers(one.rating.data));
    for (const head of ['similar', 'factors', 'fold-in-many'])
      expect(files[`${head}.onnx`].bytes).toEqual(alone.files[`${head}.onnx`].bytes);
    for (const [name, { bytes }] of Object.entries(files)) {
      const { objective, config } = decodeModel(bytes).metadata;
      const wanted = name === 'predict.onnx' ? rating : part;
      expect({ objective, config }).toEqual({
        objective: wanted === rating ? 'rating' : 'ranking',
        config: JSON.stringify(wanted.model.config),
      });
    }
  });
});

test('a ranking without parameters of users gives all the same, also to who is unknown', async () => {
  const { part, vocabulary } = drawn(itemsAlone);
  const { run } = await headsOfParts({ ranking: part, vocabulary });
  const feeds = { user: strings(ASKED), exclude: strings([], [ASKED.length, 0]), k: count(30) };
  const { item } = await run('recommend', feeds);
  const expected = best([...part.trained.item_bias.data], new Set(), 30).map(([row]) => `item ${row}`);
  for (const row of rowsOf(item)) expect(row).toEqual(expected);
});

test.each(['float16', 'int8'] as const)('both models in %s are near the exact ones', async (precision) => {
  const { part, vocabulary } = drawn(dotBias({ factors: 40 }), { items: 300, users: 120 });
  const model = dotBias({ factors: 40 })({ users: 120, items: 300, ratings: 500, low: 1, high: 5, mean: 3 });
  const trained: Tensors = randomParameters(model);
  const parts = { rating: { model, trained, error: 1 }, ranking: part, vocabulary };
  const [exact, small] = [await headsOfParts(parts), await headsOfParts({ ...parts, precision })];
  const feeds = { user: strings(['user 5']), exclude: strings([], [1, 0]), k: count(10) };
  const [one, other] = [await exact.run('recommend', feeds), await small.run('recommend', feeds)];
  const common = (one.item.data as string[]).filter((id) => (other.item.data as string[]).includes(id));
  expect(common.length).toBeGreaterThan(6);
  const saved = small.files['recommend.onnx'].bytes.length / exact.files['recommend.onnx'].bytes.length;
  expect(saved).toBeLessThan(0.6);
});

test.each<[number, ModelDefinition]>([
  [1, dotBias({ factors: 3 })],
  [10, mlp({ factors: 3, hidden: [10, 4] })],
  [3, attention],
])('a run of many people holds few tensors of %i numbers a pair at once (%#)', async (width, definition) => {
  const { part, vocabulary } = drawn(definition, { items: 9999 });
  const { files } = await headsOfParts({ ranking: part, vocabulary });
  for (const head of ['recommend', 'fold-in-many'])
    expect(files[`${head}.onnx`].batch).toBe(Math.floor((3 * 2 ** 18) / (width * 10_000)));
  expect(files['fold-in.onnx'].batch).toBeUndefined();
});

test('without a model there are no heads', async () => {
  const { vocabulary } = drawn(itemsAlone);
  await expect(buildHeads({ vocabulary, runtime: await nodeRuntime() })).rejects.toThrow(GraphError);
});
