import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { expect, describe as group, test } from 'vitest';
import { predictGraph } from '../../graphs/heads/predict.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { Model, ModelDefinition } from '../../graphs/models/model.ts';
import { buildModel, encodeModel } from '../../src/onnx/index.ts';
import { dot, randomParameters, rowOf, scaled } from './models.ts';

web.env.wasm.numThreads = 1;

const composed = 'caf\u00e9';
const decomposed = 'cafe\u0301';
const userIds = ['1', composed, decomposed, '👩‍👩‍👧', '', ' 1', '\ufeff1', 'x'.repeat(100_000)];
const itemIds = ['1', '01', '1.0', '电影', '\u0001', 'a\nb', '🎬'];
const facts = { users: userIds.length, items: itemIds.length, ratings: 9, low: 1, high: 5, mean: 3 };

const bytesOf = (model: Model): Uint8Array =>
  encodeModel(
    buildModel(
      predictGraph({ rating: { model, trained: randomParameters(model), error: 1 } }, { userIds, itemIds }),
    ),
  );

const pairs = (users: string[], items: string[]) =>
  users.flatMap((user) => items.map((item) => [user, item]));

/** Predictions by either runtime, which are the same but for their types. */
async function predict({ InferenceSession, Tensor }: typeof node, bytes: Uint8Array, asked: string[][]) {
  const session = await InferenceSession.create(bytes);
  const column = (position: number) =>
    new Tensor(
      'string',
      asked.map((pair) => pair[position]),
      [asked.length],
    );
  const { rating } = await session.run({ user: column(0), item: column(1) });
  await session.release();
  expect(rating.dims).toEqual([asked.length]);
  return [...(rating.data as Float32Array)];
}

group('predict takes string ids', () => {
  const model = dotBias({ factors: 3 })(facts);
  const bytes = bytesOf(model);
  const { user_factors, item_factors, user_bias, item_bias } = randomParameters(model);
  const expected = (user: string, item: string): number => {
    const [row, column] = [userIds, itemIds].map((ids, position) => {
      const at = ids.indexOf([user, item][position]);
      return at < 0 ? ids.length : at;
    });
    const affinity = dot(rowOf(user_factors.data, 3, row), rowOf(item_factors.data, 3, column));
    const biases = rowOf(user_bias.data, 1, row)[0] + rowOf(item_bias.data, 1, column)[0];
    return scaled(affinity + biases, [0, 5.5]);
  };
  const check = async (asked: string[][]) => {
    const ratings = await predict(node, bytes, asked);
    for (const [position, [user, item]] of asked.entries())
      expect(ratings[position], `${user.slice(0, 20)}, ${item}`).toBeCloseTo(expected(user, item), 5);
  };

  test('which it takes as they are written, whatever they hold', () => check(pairs(userIds, itemIds)));

  test('and those it does not know as the average', () =>
    check([
      ...pairs(['nobody', '1 ', '01', 'CAFÉ', '👩', 'x'.repeat(99_999)], itemIds),
      ...pairs(userIds, ['nothing', '', '1 ', '电']),
      ...pairs(['nobody', 'nobody else'], ['nothing', '\ufeff']),
    ]));

  test('and none at all', async () => {
    for (const runtime of [node, web as unknown as typeof node])
      expect(await predict(runtime, bytes, [])).toEqual([]);
  });
});

group('the same bytes give the same ratings in Node and in WebAssembly', () => {
  const definitions: ModelDefinition[] = [dotBias(), mlp({ hidden: [20, 10] })];
  test.each(definitions.map((definition) => definition(facts)))('$name', async (model) => {
    const bytes = bytesOf(model);
    const asked = pairs([...userIds, 'nobody'], [...itemIds, 'nothing']);
    const native = await predict(node, bytes, asked);
    const inWasm = await predict(web as unknown as typeof node, bytes, asked);
    expect(new Set(native).size).toBeGreaterThan(asked.length / 2);
    for (const [position, rating] of native.entries())
      expect(Math.abs(inWasm[position] - rating)).toBeLessThan(1e-5);
  });
});
