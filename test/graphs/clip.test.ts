import { expect, describe as group, test } from 'vitest';
import type { RatingPart } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import { type ModelDefinition, POPULARITY, type Range } from '../../graphs/models/model.ts';
import { count, floats, headsOfParts, padded, type Sessions, strings } from '../support/heads.ts';
import { attention, distance, itemsAlone } from '../support/own.ts';
import { randomParameters } from './models.ts';

const facts = { users: 12, items: 9, ratings: 60, low: 1, high: 5, mean: 3 };
const userIds = Array.from({ length: facts.users }, (_, row) => `user ${row}`);
const itemIds = Array.from({ length: facts.items }, (_, row) => `item ${row}`);
const vocabulary = { userIds, itemIds };
const clipped = (rating: number, [low, high]: Range): number => Math.min(high, Math.max(low, rating));
const numbers = (data: unknown): number[] => [...(data as Float32Array)];

/** Ranks by popularity alone. */
const popular: ModelDefinition = ({ items }) => ({
  ...itemsAlone(facts),
  parameters: { item_bias: { dims: [items], initial: POPULARITY, rowsOf: 'item' } },
});

/** All that a model answers with ratings. */
async function answers(run: Sessions['run']) {
  const pairs = userIds.flatMap((user) => itemIds.map((item) => [user, item]));
  const [user, item] = [0, 1].map((column) => strings(pairs.map((pair) => pair[column])));
  const asked = {
    user: strings([...userIds, 'nobody']),
    k: count(5),
    exclude: padded(userIds.map(() => [])),
  };
  const lists = { ...asked, exclude: padded([...userIds, 'nobody'].map(() => ['item 2'])) };
  const person = { item: strings(['item 0', 'item 3']), rating: floats([5, 1]), k: count(8) };
  return {
    predict: await run('predict', { user, item }),
    recommend: await run('recommend', lists),
    'fold-in': await run('fold-in', person),
  };
}

group.each<[string, ModelDefinition]>([
  ['dot-bias', dotBias({ factors: 3 })],
  ['mlp', mlp({ factors: 3, hidden: [5] })],
  ['distance, which has no range', distance],
  ['attention, which has no range', attention],
  ['items alone, which has no range', itemsAlone],
])('clipped ratings of %s', async (_, definition) => {
  const model = definition(facts);
  const rating: RatingPart = { model, trained: randomParameters(model), error: 0.8 };
  const open = await answers((await headsOfParts({ rating, vocabulary })).run);
  const sorted = numbers(open.predict.rating.data).sort((a, b) => a - b);
  const at = (part: number) => Math.fround(sorted[Math.floor(part * (sorted.length - 1))]);
  const scale: Range = [at(0.3), at(0.7)];
  const ranks = popular(facts);
  const ranking = {
    ...{ model: ranks, trained: randomParameters(ranks), positive: 4, userDecay: [0.5, 0.5] as const },
    counts: itemIds.map((_, row) => row + 1),
  };

  test.each([
    ['alone', {}],
    ['beside a ranking', { ranking }],
  ])('are on the scale, %s; nothing else changes', async (_, beside) => {
    const usual = await answers((await headsOfParts({ rating, ...beside, vocabulary })).run);
    const parts = { rating: { ...rating, clip: scale }, ...beside, vocabulary };
    const given = await answers((await headsOfParts(parts)).run);
    for (const head of ['predict', 'recommend', 'fold-in'] as const) {
      const names = Object.keys(usual[head]);
      expect(Object.keys(given[head])).toEqual(names);
      for (const name of names) {
        const before = usual[head][name];
        if (!/rating$/.test(name)) {
          expect(given[head][name].data, name).toEqual(before.data);
          continue;
        }
        const places = usual[head].item ?? usual[head].top_item;
        const isPadding = (row: number) => places !== undefined && places.data[row] === '';
        expect(numbers(given[head][name].data), head).toEqual(
          numbers(before.data).map((one, row) => (isPadding(row) ? one : clipped(one, scale))),
        );
      }
    }
    expect(new Set(numbers(given.predict.rating.data))).toContain(scale[0]);
    expect(new Set(numbers(given.predict.rating.data))).toContain(scale[1]);
  });
});

test('an infinite or missing number does not become a rating on the scale by chance', async () => {
  const model = itemsAlone(facts);
  const data = Float32Array.from(itemIds, (_, row) => [Number.NaN, Infinity, -Infinity][row] ?? 3);
  const trained = { item_bias: { dims: [facts.items], data } };
  const { run } = await headsOfParts({ rating: { model, trained, error: 1, clip: [1, 5] }, vocabulary });
  const { rating } = await run('predict', { user: strings(itemIds), item: strings(itemIds) });
  expect(numbers(rating.data)).toEqual([Number.NaN, 5, 1, 3, 3, 3, 3, 3, 3]);
});
