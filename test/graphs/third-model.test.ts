import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { nodeRuntime, Recommender, randomSplit, readArtifact, readRatings, train } from '../../src/index.ts';
import { neuralFactorization } from '../support/factorization.ts';
import { sample, temporaryFolder } from '../support/files.ts';

const folder = temporaryFolder();

test('a third model is one short file, written against the public entries alone', async () => {
  const source = await readFile('test/support/factorization.ts', 'utf8');
  expect(source.trimEnd().split('\n').length).toBeLessThan(40);
  expect(source.match(/from '.*'/g)).toEqual(["from '../../src/index.ts'", "from '../../src/onnx/index.ts'"]);
});

test('it is trained, saved and read back as those that came with the package are', async () => {
  const rows = gunzipSync(await readFile(join(sample, 'ratings.csv.gz')))
    .toString()
    .split('\n');
  const few = await folder.write('few.csv', rows.slice(0, 5001).join('\n'));
  const split = randomSplit((await readRatings(few)).ratings, 0.1, 1);
  const model = await train(split.train, { model: neuralFactorization() }, { valid: split.valid });

  const { mean } = split.train.facts;
  const squares = split.valid.ratings.map((rating) => (rating - mean) ** 2);
  const errorOfMean = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
  const { rmse } = await model.errors(split.valid);
  expect(rmse).toBeLessThan(0.95 * errorOfMean);
  expect((await model.rankingOn(split.valid))?.ndcg).toBeGreaterThan(0.05);

  const path = join(folder.path, 'model');
  await model.save(path);
  const artifact = await readArtifact(path);
  expect(artifact.manifest.model).toEqual({
    name: 'neural-factorization',
    config: { factors: 16, hidden: 16 },
  });
  const recommender = await Recommender.create(artifact, await nodeRuntime());
  const [users, items] = [
    ['1', '2', '3', 'nobody'],
    ['1', '260', 'nothing', '1'],
  ];
  const predicted = await recommender.predict(users, items);
  expect(predicted).toEqual(await (await model.recommender()).predict(users, items));
  expect(new Set(predicted).size).toBe(users.length);
});
