import { expect, test } from 'vitest';
import { modelNames } from '../../graphs/models/index.ts';
import { buildHeads } from '../../src/artifact/heads.ts';
import { accessOf, privateFiles } from '../../src/artifact/manifest.ts';
import { published } from '../../src/artifact/site.ts';
import { add, gather, reduceSum } from '../../src/onnx/index.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { train } from '../../src/train/train.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { userError } from '../support/files.ts';
import { lowRank, ofBiases } from '../support/low-rank.ts';

const ratings = lowRank();
const [{ userIds }] = [ratings];
const ABOUT_USERS = ['predict.onnx', 'recommend.onnx', 'seen.onnx'];

for (const model of modelNames)
  test(`every file is marked, and no public one has an id of a user: ${model}`, async () => {
    const fitted = await train(ratings, { model });
    const artifact = await fitted.artifact({ seen: true, titles: new Map([['item 1', 'One']]) });
    const { manifest, files } = artifact;
    expect(privateFiles(manifest)).toEqual(ABOUT_USERS);
    for (const [name, { access }] of Object.entries(manifest.files)) {
      expect(access).toBe(ABOUT_USERS.includes(name) ? 'private' : 'public');
      const text = Buffer.from(files[name]).toString('latin1');
      const found = userIds.filter((id) => text.includes(id));
      expect([name, found.length]).toEqual([name, ABOUT_USERS.includes(name) ? userIds.length : 0]);
    }
    const part = published(artifact);
    expect(userIds.filter((id) => JSON.stringify(part.manifest).includes(id))).toEqual([]);
    const [whole, open] = await Promise.all(
      [artifact, part].map(async (one) => Recommender.create(one, await nodeRuntime())),
    );
    expect(await open.similar('item 1', { k: 3 })).toEqual(await whole.similar('item 1', { k: 3 }));
    const own = [{ item: 'item 1', rating: 5 }];
    expect(await open.foldIn(own)).toEqual(await whole.foldIn(own));
    for (const asked of [open.recommend('user 1'), open.score('user 1', 'item 1')])
      expect(await userError(asked)).toMatch(
        /^the model has no (recommend|predict)\.onnx; load the folder that training wrote, not its public part or a site/,
      );
  });

test('no public file has a table of users in it, whatever the formula', async () => {
  const definition = ofBiases(({ user_bias, item_bias }, user, item) =>
    add(add(gather(user_bias, user), gather(item_bias, item)), reduceSum(user_bias)),
  );
  const model = definition({ ...ratings.facts });
  const trained = mapValues(model.parameters, ({ dims }, name) => ({
    dims,
    data: new Float32Array(dims[0]).fill(name === 'user_bias' ? 0.123 : 0.5),
  }));
  const part = { model, trained };
  const heads = await buildHeads({
    rating: { ...part, error: 1 },
    ranking: { ...part, positive: 4, counts: ratings.itemCounts, userDecay: [0.1, 1] },
    vocabulary: ratings,
    runtime: await nodeRuntime(),
    precision: 'float32',
  });
  const table = Buffer.from(trained.user_bias.data.buffer);
  const having = Object.keys(heads).filter((name) => Buffer.from(heads[name].bytes).includes(table));
  expect(having.sort()).toEqual(['predict.onnx', 'recommend.onnx']);
  expect(
    Object.keys(heads)
      .filter((name) => accessOf(name) === 'public')
      .sort(),
  ).toEqual(['factors.onnx', 'fold-in-many.onnx', 'fold-in.onnx']);
});
