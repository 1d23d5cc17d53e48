import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, describe as group, test } from 'vitest';
import { scoreGraph } from '../../graphs/heads/predict.ts';
import { servingParameters } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import { biases, type DataFacts, defaultRange, type Model, scoreAt } from '../../graphs/models/model.ts';
import * as onnx from '../../src/onnx/index.ts';
import { dot, randomParameters, rowOf, scaled } from './models.ts';

const facts: DataFacts = { users: 5, items: 4, ratings: 9, low: 1, high: 5, mean: 3 };

/** The ratings of all pairs of rows, the average rows included. */
async function scores(model: Model): Promise<{ user: number; item: number; rating: number }[]> {
  const values = randomParameters(model);
  const pairs = Array.from({ length: 6 * 5 }, (_, index) => ({
    user: index % 6,
    item: Math.floor(index / 6),
  }));
  const session = await InferenceSession.create(onnx.encodeModel(scoreGraph({ model })));
  const { rating } = await session.run({
    ...Object.fromEntries(
      Object.entries(servingParameters(model, values)).map(([name, { dims, data }]) => [
        name,
        new Tensor('float32', data, dims),
      ]),
    ),
    user: new Tensor(
      'int32',
      pairs.map(({ user }) => user),
    ),
    item: new Tensor(
      'int32',
      pairs.map(({ item }) => item),
    ),
  });
  await session.release();
  return pairs.map((pair, index) => ({ ...pair, rating: Number(rating.data[index]) }));
}

group('the formula, against plain loops', () => {
  test('dot-bias', async () => {
    const model = dotBias({ factors: 3, range: [0.5, 6] })(facts);
    const { user_factors, item_factors, user_bias, item_bias } = randomParameters(model);
    for (const { user, item, rating } of await scores(model)) {
      const affinity = dot(rowOf(user_factors.data, 3, user), rowOf(item_factors.data, 3, item));
      const score = affinity + rowOf(user_bias.data, 1, user)[0] + rowOf(item_bias.data, 1, item)[0];
      expect(rating).toBeCloseTo(scaled(score, [0.5, 6]), 5);
    }
  });

  test.each([[[]], [[7]], [[6, 3]]])('mlp with hidden layers of %j', async (hidden) => {
    const model = mlp({ factors: [3, 2], hidden })(facts);
    const values = randomParameters(model);
    for (const { user, item, rating } of await scores(model)) {
      let activation = [
        ...rowOf(values.user_factors.data, 3, user),
        ...rowOf(values.item_factors.data, 2, item),
      ];
      for (const [index, width] of [...hidden, 1].entries()) {
        const weight = values[`linear_${index + 1}_weight`].data;
        const bias = values[`linear_${index + 1}_bias`].data;
        const outputs = Array.from(bias, (start, output) =>
          activation.reduce((sum, one, row) => sum + one * weight[row * width + output], start),
        );
        activation = index < hidden.length ? outputs.map((one) => Math.max(0, one)) : outputs;
      }
      const [ofUser] = rowOf(values.user_bias.data, 1, user);
      const [ofItem] = rowOf(values.item_bias.data, 1, item);
      expect(rating).toBeCloseTo(scaled(activation[0] + ofUser + ofItem, [0, 5.5]), 5);
    }
  });
});

group('choices that are not made', () => {
  test.each([
    [1, 5, [0, 5.5]],
    [0.5, 5, [0.5 - 4.5 / 4, 5 + 4.5 / 8]],
    [0, 1, [-0.25, 1.125]],
    [-10, 10, [-15, 12.5]],
  ])('the range of ratings from %d to %d', (low, high, range) => {
    expect(defaultRange({ low, high })).toEqual(range);
    for (const definition of [dotBias(), mlp()])
      expect(definition({ ...facts, low, high }).config).toMatchObject({ range });
  });

  test('dot-bias has a vector and a bias a user and an item', () => {
    const { config, parameters } = dotBias()(facts);
    const [ofUsers, ofItems] = config.spectral as readonly [number, number];
    const initial = (spectral: number) => ({ normal: config.initialStd, spectral });
    expect(config).toEqual({
      factors: 50,
      range: [0, 5.5],
      initialStd: expect.any(Number),
      spectral: [expect.any(Number), expect.any(Number)],
    });
    const center = scoreAt(facts.mean, [0, 5.5]) / 2;
    const { rate } = biases('user', facts, { range: [0, 5.5] });
    const bias = {
      ...{ initial: { normal: 0, center: expect.closeTo(center, 12), posterior: true } },
      ...{ rate, pull: 'prior' },
    };
    expect(parameters).toEqual({
      user_factors: {
        dims: [5, 50],
        initial: initial(ofUsers),
        rowsOf: 'user',
        pull: expect.closeTo(3 / 0.05 ** 2, 6),
      },
      item_factors: {
        dims: [4, 50],
        initial: initial(ofItems),
        rowsOf: 'item',
        pull: expect.closeTo(3 / 0.05 ** 2, 6),
      },
      user_bias: { dims: [5], rowsOf: 'user', ...bias },
      item_bias: { dims: [4], rowsOf: 'item', ...bias },
    });
    const many = dotBias()({ ...facts, ratings: 10_000 }).parameters.user_bias.initial;
    expect(many.center).toBeCloseTo(center, 12);
  });

  test('training begins at the mean, or at the end of the range that is nearest', () => {
    const ratingAt = (score: number): number => 5.5 / (1 + Math.exp(-score));
    expect(ratingAt(scoreAt(3.7, [0, 5.5]))).toBeCloseTo(3.7, 9);
    expect(scoreAt(9, [0, 5.5])).toBeCloseTo(Math.log(99), 9);
  });

  test('the layers of mlp go from both embeddings to one number, and start as torch.nn.Linear does, but for the last', () => {
    const { parameters } = mlp({ factors: 8, hidden: [6, 3] })(facts);
    const shapes = Object.fromEntries(Object.entries(parameters).map(([name, { dims }]) => [name, dims]));
    expect(shapes).toEqual({
      user_factors: [5, 8],
      item_factors: [4, 8],
      linear_1_weight: [16, 6],
      linear_1_bias: [6],
      linear_2_weight: [6, 3],
      linear_2_bias: [3],
      linear_3_weight: [3, 1],
      linear_3_bias: [1],
      user_bias: [5],
      item_bias: [4],
    });
    expect(parameters.linear_1_weight.initial).toEqual({ uniform: 1 / 4 });
    expect(parameters.linear_1_bias.initial).toMatchObject({ center: 0 });
    expect(parameters.linear_3_bias.initial).toEqual({
      uniform: 0,
      center: scoreAt(facts.mean, [0, 5.5]),
    });
    expect(parameters.linear_3_weight.initial).toEqual({ uniform: 0 });
    // The last layer starts at the mean: the biases beside it are deviations from it.
    const beside = {
      initial: { normal: 0, center: 0, posterior: true },
      rate: biases('user', facts, { range: [0, 5.5] }).rate,
      pull: 'prior',
      ownState: true,
    };
    expect(parameters.user_bias).toEqual({ dims: [5], rowsOf: 'user', ...beside });
    expect(parameters.item_bias).toEqual({ dims: [4], rowsOf: 'item', ...beside });
  });

  test('biases learn at a quarter of the rate, and slower where ratings are at an end of the scale', () => {
    const rateAt = (mean: number) => biases('item', { ...facts, mean }, { range: [0, 4] }).rate;
    expect(rateAt(2)).toBeCloseTo(0.25, 12);
    // σ is three quarters as steep as in the middle, and then half as steep.
    expect([1, 3].map(rateAt)).toEqual([expect.closeTo(0.125, 12), expect.closeTo(0.125, 12)]);
    expect([2 + Math.sqrt(2), 3.9].map(rateAt)).toEqual([expect.closeTo(0, 12), 0]);
  });

  test('layers of mlp learn slower the less the ratings tell, and the bias of the last stays', () => {
    const of = (change: Partial<DataFacts>, hidden = [6]) => {
      const data = { ...facts, users: 25, items: 16, ratings: 10_000, ...change };
      const { parameters } = mlp({ factors: 8, hidden, range: [0, 6] })(data);
      const { linear_1_weight, linear_1_bias, linear_2_weight, linear_2_bias } = parameters;
      expect([linear_1_bias.rate, linear_2_weight.rate, linear_2_bias.rate]).toEqual([
        ...[linear_1_weight.rate, linear_1_weight.rate, 0],
      ]);
      return linear_1_weight.rate;
    };
    expect(of({})).toBe(1);
    // A trust of 1 − 5/20 − 4/20.
    expect(of({ ratings: 400 })).toBe(1);
    // 1 − 5/15 − 4/15, of 0.5.
    expect(of({ ratings: 225 })).toBeCloseTo(0.8 ** 2, 12);
    expect(of({ ratings: 81 })).toBeCloseTo(0, 12);
    expect(of({ mean: 5.5 })).toBe(0);
    expect(of({ mean: 4.5 })).toBeCloseTo(0.5 ** 2 * (0.91 / 0.5) ** 2, 12);
    // Two ratings for each of 17 · 1000 weights are enough.
    expect(of({}, [1000])).toBeCloseTo(10_000 / 34_000, 12);
  });

  test.each([
    [943, 1682, [74, 102]],
    [610, 9724, [58, 274]],
    [2, 10_000_000, [2, 600]],
  ])('embeddings of %d users and %d items grow as min(600, round(1.6 · n^0.56))', (users, items, sizes) => {
    const { config, parameters } = mlp({ factors: 'auto' })({ ...facts, users, items });
    expect(config.factors).toEqual(sizes);
    expect(parameters.user_factors.dims).toEqual([users, sizes[0]]);
    expect(parameters.item_factors.dims).toEqual([items, sizes[1]]);
  });

  test.each([
    [undefined, [0.1, 0.05, 0.05]],
    [0.2, [0.2, 0, 0]],
    [
      [0.1, 0.2],
      [0.1, 0.2, 0],
    ],
    [
      [0.1, 0.2, 0.3],
      [0.1, 0.2, 0.3],
    ],
  ])('dropout of %j falls on the embeddings, then on each hidden layer', (dropout, rates) => {
    const model = mlp({ hidden: [6, 3], dropout })(facts);
    expect(model.config.dropout).toEqual(rates);
    const used: [dims: unknown, rate: number][] = [];
    const parameters = Object.fromEntries(
      Object.entries(model.parameters).map(([name, { dims }]) => [name, onnx.input(name, 'float', dims)]),
    );
    const row = onnx.input('row', 'int64', ['batch']);
    model.score(parameters, row, row, (x, rate) => {
      used.push([x.dims[1], rate]);
      return x;
    });
    expect(used).toEqual([
      [model.parameters.linear_1_weight.dims[0], rates[0]],
      [6, rates[1]],
      [3, rates[2]],
    ]);
  });

  test('the config is plain JSON', () => {
    for (const { config } of [dotBias()(facts), mlp()(facts)])
      expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });
});
