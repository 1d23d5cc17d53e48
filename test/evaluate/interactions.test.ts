import { expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { evaluate } from '../../src/evaluate/evaluate.ts';
import { evaluateBaselines } from '../../src/evaluate/evaluate-baselines.ts';
import type { Own } from '../../src/recommend/answers.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { report } from '../../src/report/report.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { train } from '../../src/train/train.ts';

const ids = (name: string, count: number) => Array.from({ length: count }, (_, row) => `${name}${row}`);
const userIds = ids('u', 12);
const itemIds = ids('i', 8);

/** Users have items of their own half; the first two items of each are what recommendations leave out. */
function interactions(from: number, to: number, leftOut?: (item: number) => boolean): Ratings {
  const pairs = userIds.flatMap((_, user) =>
    Array.from({ length: to - from }, (_, at) => [user, (user % 2) * 4 + ((user + from + at) % 4)]),
  );
  return new Ratings({
    kind: 'interactions',
    userIds,
    itemIds,
    users: Int32Array.from(pairs, ([user]) => user),
    items: Int32Array.from(pairs, ([, item]) => item),
    ...(leftOut && { leftOut: Uint8Array.from(pairs, ([, item]) => Number(leftOut(item))) }),
  });
}

const recipe = { factors: 2, rankingEpochs: 3 };
const leaving = interactions(0, 3, (item) => item % 4 === 0);

test('novelty is by how many have an item, whatever recommendations leave out', async () => {
  const recommender = await (await train(leaving, recipe)).recommender({ seen: true });
  const heldOut = interactions(3, 4);
  const judged = await evaluate(recommender, heldOut, { k: [8], train: leaving });
  const baselines = await evaluateBaselines(leaving, heldOut, { k: [8] });
  const stored = await evaluate(recommender, heldOut, { k: [8] });
  // The lists have all items but those that are left out, so their means differ only by those lists' users.
  const listed = heldOutUsers(heldOut).flatMap((user) => allowed(user));
  const bits = listed.map((item) => -Math.log2(leaving.itemCounts[item] / userIds.length));
  const mean = bits.reduce((sum, one) => sum + one, 0) / bits.length;
  for (const { ranking } of [judged, stored, baselines['most-popular']])
    expect(ranking?.at[0].novelty).toBeCloseTo(mean, 6);
});

const heldOutUsers = ({ users, items }: Ratings): number[] =>
  [...new Set(users)].filter((user) =>
    items.some((item, at) => users[at] === user && allowed(user).includes(item)),
  );

/** The items that a user's list may have. */
function allowed(user: number): number[] {
  const out = leaving.items.filter((_, at) => leaving.users[at] === user && leaving.leftOut?.[at] === 1);
  return [...itemIds.keys()].filter((item) => !out.includes(item));
}

test('users who have all their relevant items from training are told from users who have none', async () => {
  const all = interactions(0, 2);
  const recommender = await (await train(all, recipe)).recommender();
  const row = (user: number, item: number, strength = 1) => [user, item, strength];
  const rows = [row(0, 3), row(2, all.items[4]), row(4, 5, 0)];
  const heldOut = new Ratings({
    ...all,
    users: Int32Array.from(rows, ([user]) => user),
    items: Int32Array.from(rows, ([, item]) => item),
    ratings: Float32Array.from(rows, ([, , strength]) => strength),
  });
  const { ranking } = await evaluate(recommender, heldOut, { train: all });
  expect(ranking).toMatchObject({ users: 1, withoutRelevant: 2, withoutNew: 1 });
});

test('ratings and interactions are not taken for each other', async () => {
  const pairs = interactions(0, 3);
  const rated = new Ratings({
    ...pairs,
    kind: 'ratings',
    name: 'the ratings',
    ratings: Float32Array.from(pairs.users, (_, at) => 1 + (at % 5)),
  });
  const [ofRatings, ofInteractions] = await Promise.all([
    train(rated, { ...recipe, epochs: 2 }),
    train(pairs, recipe),
  ]);
  const wrong = (kind: string, trained: string) =>
    new RegExp(
      `these are ${kind}, but the model is trained on ${trained}; read them with \`kind: '${trained}'\`$`,
    );
  for (const [model, data, message] of [
    [ofRatings, pairs, wrong('interactions', 'ratings')],
    [ofInteractions, rated, wrong('ratings', 'interactions')],
  ] as const) {
    const recommender = await model.recommender();
    await expect(evaluate(recommender, data)).rejects.toThrow(message);
    await expect(report(recommender, { data })).rejects.toThrow(message);
    await expect(model.errors(data)).rejects.toThrow(message);
    await expect(model.rankingOn(data)).rejects.toThrow(message);
  }
  await expect(train(rated, recipe, { valid: pairs })).rejects.toThrow(wrong('interactions', 'ratings'));
  await expect(evaluate(await ofRatings.recommender(), rated, { train: pairs })).rejects.toThrow();
  await expect(evaluateBaselines(rated, pairs)).rejects.toThrow(wrong('interactions', 'ratings'));
});

test('a manifest of another kind than its files is refused when they are opened', async () => {
  const { manifest, files } = await (await train(leaving, recipe)).artifact();
  const data = { ...manifest.data, kind: 'ratings' } as const;
  const mixed = await Recommender.create({ manifest: { ...manifest, data }, files }, await nodeRuntime());
  for (const own of [[{ item: 'i0', rating: 1 }], [[{ item: 'i0', rating: 1 }], []]])
    await expect(mixed.foldIn(own as Own)).rejects.toThrow(
      /^fold-in(-many)?.onnx: is of a model of interactions, but manifest.json is of one of ratings; train the model again$/,
    );
});

test('what is left out is stored unless a program says no', async () => {
  const model = await train(leaving, recipe);
  expect((await model.artifact()).files['seen.onnx']).toBeDefined();
  expect((await model.artifact({ seen: false })).files['seen.onnx']).toBeUndefined();
  const lists = await (await model.recommender()).recommend(userIds, { k: 8 });
  for (const [user, list] of lists.entries())
    expect(list.map(({ item }) => item).sort()).toEqual(allowed(user).map((item) => itemIds[item]));
});
