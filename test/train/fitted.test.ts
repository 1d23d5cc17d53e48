import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readArtifact } from '../../src/artifact/artifact.ts';
import { fingerprint } from '../../src/data/dataset/dataset.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { resolveRanking } from '../../src/train/recipe/resolve-ranking.ts';
import { type Fitted, train } from '../../src/train/train.ts';
import { temporaryFolder } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';
import { expectSame } from '../support/made.ts';

const folder = temporaryFolder();
const { train: ratings, valid } = randomSplit(lowRank(), 0.2, 3);

describe.each<[string, Recipe]>([
  ['dot-bias', { factors: 3, epochs: 3 }],
  ['mlp', { model: 'mlp', factors: 4, hidden: [6], epochs: 3 }],
])('a fitted %s', (name, recipe) => {
  let fitted: Fitted;
  let epochs = 0;
  let told = 0;
  beforeAll(async () => {
    const onProgress = () => void told++;
    fitted = await train(ratings, recipe, { valid, onProgress });
    epochs = told;
  });

  test('says what it was made by, and what it came to', async () => {
    expect(fitted.plan).toEqual(resolve(recipe, ratings.facts, { isJudged: true }).plan);
    const positives = ratings.ratings.filter((rating) => rating >= 4).length;
    expect(fitted.ranking?.plan).toEqual(resolveRanking(recipe, { ...ratings.facts, positives }).plan);
    expect(fitted.ranking?.history).toHaveLength(3);
    const ranked = await fitted.rankingOn(valid);
    expect(ranked).toEqual({ ...fitted.ranking?.metrics.valid, popular: expect.anything() });
    expect(fitted.history).toHaveLength(3);
    expect(fitted.metrics.valid).toEqual(await fitted.errors(valid));
    expect(fitted.metrics.train?.rmse).toBe((await fitted.errors(ratings)).rmse);
    expect(fitted.seconds).toEqual({ build: expect.any(Number), train: expect.any(Number) });
    const { manifest } = await fitted.artifact();
    expect(manifest).toMatchObject({
      ...fitted.plan,
      history: fitted.history,
      metrics: fitted.metrics,
      ranking: {
        ...fitted.ranking?.plan,
        history: fitted.ranking?.history,
        metrics: fitted.ranking?.metrics,
      },
      data: { ...ratings.facts, fingerprint: await fingerprint(ratings, valid) },
    });
    expect(manifest.training).toMatchObject({ objective: 'rating', engine: 'epoch-graph' });
    expect(manifest.ranking?.training.objective).toBe('ranking');
  });

  test('saves the same bytes each time, and trains nothing for it', async () => {
    const paths = ['one', 'other'].map((end) => join(folder.path, `${name}-${end}`));
    const artifacts = await Promise.all(paths.map((path) => fitted.save(path)));
    const read = async (path: string) => {
      const files = (await readdir(path)).filter((name) => name !== '.cofactor').sort();
      return Promise.all(files.map(async (file) => [file, await readFile(join(path, file), 'base64')]));
    };
    expect(await read(paths[1])).toEqual(await read(paths[0]));
    for (const [at, path] of paths.entries()) expectSame(await readArtifact(path), artifacts[at]);
    expectSame(await fitted.artifact(), artifacts[0]);
    expect(told).toBe(epochs);
    expect(fitted.history).toHaveLength(3);
  });

  test('saves what each time is asked for, from the same parameters', async () => {
    const path = join(folder.path, `${name}-kept`);
    const titles = new Map([['item 1', 'One']]);
    const kept = await fitted.save(path, { seen: true, titles, precision: 'float16' });
    const plain = await fitted.save(path, { seen: false });
    const more = Object.keys(kept.files).filter((file) => !Object.hasOwn(plain.files, file));
    expect(more.sort()).toEqual(['seen.onnx', 'titles.json']);
    expectSame(await readArtifact(path), plain);
    const { precision, files: _, ...manifest } = kept.manifest;
    const { files: __, ...expected } = plain.manifest;
    expect(precision).toBe('float16');
    expect(manifest).toEqual(expected);
    expect(kept.files['train.onnx']).toEqual(plain.files['train.onnx']);
  });

  test('answers by the very bytes that it saves', async () => {
    const options = { seen: true, titles: new Map([['item 1', 'One']]) };
    const here = await fitted.recommender(options);
    expectSame(here.artifact, await fitted.artifact(options));
    const there = await Recommender.create(here.artifact, await nodeRuntime());
    expect(here.titles).toEqual(options.titles);
    const users = ['user 1', 'nobody'];
    expect(await here.recommend(users)).toEqual(await there.recommend(users));
    const items = ['item 1', 'nothing'];
    expect(await here.predict(users, items)).toEqual(await there.predict(users, items));
  });
});
