import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import { type Model, scoreAt } from '../../graphs/models/model.ts';
import { encodeModel } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { createPull, priorsOf } from '../../src/train/pull.ts';
import type { ProgramRecipe, Recipe } from '../../src/train/recipe/recipe.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { carriedDims } from '../../src/train/step/layout.ts';
import { optimizers } from '../../src/train/step/optimizers/index.ts';
import { rowAdagrad } from '../../src/train/step/optimizers/row-adagrad.ts';
import { pullGraph } from '../../src/train/step/pull.ts';
import { train } from '../../src/train/train.ts';
import { generator, normals, uniforms } from '../../src/util/random.ts';
import { changed, drawnRatings, plainBiases, trainedParameters } from '../support/biases.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { ofBiases } from '../support/low-rank.ts';

const folder = temporaryFolder();
const facts = { users: 5, items: 4, ratings: 9, low: 1, high: 5, mean: 3 };
const models: Record<string, Model> = {
  'dot-bias': dotBias({ factors: 3 })(facts),
  mlp: mlp({ factors: 2, hidden: [3] })(facts),
};

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

describe.each(Object.entries(models))('the graph that pulls %s', (name, model) => {
  test('does what its formula says', async () => {
    const optimizer = rowAdagrad();
    const graph = pullGraph(model, optimizer);
    if (!graph) throw new Error('nothing is pulled');
    const random = generator(4);
    const numbers: Record<string, Float32Array> = {};
    const feeds: Record<string, Tensor> = {};
    const feed = (name: string, data: Float32Array, dims: readonly number[]) => {
      numbers[name] = data;
      feeds[name] = new Tensor('float32', data, dims);
    };
    for (const [name, dims] of Object.entries(carriedDims(model, optimizer)))
      feed(
        name,
        name.includes('.')
          ? uniforms(sizeOf(dims), random).map((one) => 50 * one)
          : normals(sizeOf(dims), 1, random),
        dims,
      );
    const pulled = ['user_factors', 'item_factors', 'user_bias', 'item_bias'];
    for (const [at, name] of pulled.entries()) {
      const dims = name.endsWith('_bias') ? [] : model.parameters[name].dims;
      feed(`${name}.prior`, normals(sizeOf(dims), 1, random), dims);
      feed(`${name}.strength`, Float32Array.of(0.5 + at), []);
    }
    const session = await (await nodeRuntime()).createSession(encodeModel(graph), { threads: 1 });
    expect(session.outputNames.toSorted()).toEqual(pulled.map((name) => `${name}.next`).toSorted());
    const needed = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]));
    const results = await session.run(needed);
    for (const parameter of pulled) {
      const [side, isBias] = [parameter.slice(0, 4), parameter.endsWith('_bias')];
      // In dot-bias, factors and bias share a state; in the MLP, each has its own.
      const state = numbers[`${name === 'dot-bias' ? `${side}_factors` : parameter}.sum_of_squares`];
      const besideBias = name === 'dot-bias' && !isBias;
      const width = sizeOf(model.parameters[parameter].dims.slice(1));
      const [prior, [strength]] = [numbers[`${parameter}.prior`], numbers[`${parameter}.strength`]];
      const next = results[`${parameter}.next`].data as Float32Array;
      expect(next.length).toBe(numbers[parameter].length);
      for (const [at, before] of numbers[parameter].entries()) {
        const sum = state[Math.floor(at / width)];
        const rate = (model.parameters[parameter].rate ?? 1) / Math.sqrt(1 + (besideBias ? 0.005 : 1) * sum);
        const to = prior[isBias ? 0 : at];
        expect(next[at], parameter).toBeCloseTo(to + (before - to) / (1 + rate * strength), 5);
      }
    }
  });

  test('is for row-adagrad alone', () => {
    for (const [name, create] of Object.entries(optimizers))
      expect(pullGraph(model, create()) !== undefined, name).toBe(name === 'row-adagrad');
  });
});

test('a model without priors is not pulled', async () => {
  const own = ofBiases(({ user_bias }) => user_bias)(facts);
  expect(pullGraph(own, rowAdagrad())).toBeUndefined();
  const ranks = dotBias()(facts, 'ranking').parameters;
  expect(ranks.item_bias.pull).toBeUndefined();
});

const { ratings } = drawnRatings({ users: 60, items: 40, user: 0.5, item: 0.4, noise: 0.9, share: 0.3 });
const settings: Recipe = { objective: 'rating', factors: 4, epochs: 4, batchSize: 16 };

test('after an epoch, biases are pulled by the rate, the curvature of the loss and the estimated damping', async () => {
  const runtime = await nodeRuntime();
  const resolved = resolve({ ...settings, schedule: 'constant', learningRate: 0.2 }, ratings.facts, runtime);
  const pull = await createPull(resolved, ratings.facts, runtime);
  const priors = await priorsOf(ratings, resolved, { runtime })();
  const random = generator(6);
  const carried = Object.fromEntries(
    Object.entries(carriedDims(resolved.model, resolved.optimizer)).map(([name, dims]) => [
      name,
      { dims, data: name.includes('.') ? new Float32Array(sizeOf(dims)) : normals(sizeOf(dims), 1, random) },
    ]),
  );
  const next = await pull?.(priors, carried, 1);
  const { parameters } = resolved.model;
  const { low, high, mean } = ratings.facts;
  const [from, to] = [low - (high - low) / 4, high + (high - low) / 8];
  const part = (mean - from) / (to - from);
  // Half of the second derivative of (rating − actual)² at the mean; ratings are as if from 1 to 5.
  const curvature = ((to - from) * part * (1 - part) * (4 / (high - low))) ** 2;
  const plain = plainBiases(ratings);
  const trust = 1 - Math.sqrt(60 / ratings.ratings.length) - Math.sqrt(40 / ratings.ratings.length);
  for (const side of ['user', 'item'] as const) {
    const { damping, prior } = plain[side];
    const { rate = 1 } = parameters[`${side}_bias`];
    const center = Math.log(part / (1 - part)) / 2;
    const at = center + scoreAt(mean + prior, [from, to]) - scoreAt(mean, [from, to]);
    const bias = next?.[`${side}_bias`].data as Float32Array;
    for (const [row, before] of carried[`${side}_bias`].data.entries())
      expect(bias[row]).toBeCloseTo(at + (before - at) / (1 + 0.2 * rate * curvature * damping), 4);
    const start = priors.initial[`${side}_factors`].data;
    const factors = next?.[`${side}_factors`].data as Float32Array;
    for (const [index, before] of carried[`${side}_factors`].data.entries())
      expect(factors[index]).toBeCloseTo(
        start[index] + (before - start[index]) / (1 + 0.2 * curvature * (3 / trust ** 2)),
        4,
      );
  }
});

test('AdamW trains the same whatever the pull', async () => {
  const trained = async (pull: number) => {
    const model = changed(dotBias({ factors: 4 }), () => ({ pull }));
    return trainedParameters(ratings, { objective: 'rating', epochs: 2, optimizer: 'adamw', model });
  };
  expect(await trained(1e9)).toEqual(await trained(0));
});

test('a model whose pull was changed does not go on from another’s checkpoint', async () => {
  const path = join(folder.path, 'changed.checkpoint');
  const recipe = (pull: number): ProgramRecipe => ({
    ...{ objective: 'rating', epochs: 2 },
    model: changed(dotBias({ factors: 4 }), () => ({ pull })),
  });
  await train(ratings, recipe(3), { checkpoint: { path } });
  const resumed = train(ratings, recipe(30), { checkpoint: { path, resume: true } });
  expect(await userError(resumed)).toMatch(/belongs to another training: initial was/);
});
