import fc from 'fast-check';
import { Tensor } from 'onnxruntime-common';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildModel, encodeModel, gradients, input, reduceMean } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { type LossName, losses } from '../../src/train/step/losses.ts';

const formulas: Record<LossName, (error: number) => number> = {
  mse: (error) => error ** 2,
  l1: Math.abs,
  huber: (error) => (Math.abs(error) <= 1 ? error ** 2 / 2 : Math.abs(error) - 0.5),
};

/** A loss and its slope for each prediction, by ONNX Runtime. */
async function runner(name: LossName) {
  const predicted = input('predicted', 'float', ['n']);
  const actual = input('actual', 'float', ['n']);
  const loss = reduceMean(losses[name].each(predicted, actual));
  const [slope] = gradients(loss, [predicted]);
  const file = buildModel({ name, inputs: [predicted, actual], outputs: { value: loss, slope } });
  const session = await (await nodeRuntime()).createSession(encodeModel(file));
  return async (predictions: readonly number[], actuals: readonly number[]) => {
    const results = await session.run({
      predicted: new Tensor('float32', [...predictions]),
      actual: new Tensor('float32', [...actuals]),
    });
    return { loss: Number(results.value.data[0]), slope: [...(results.slope.data as Float32Array)] };
  };
}

describe.each(Object.keys(losses) as LossName[])('%s', (name) => {
  let run: Awaited<ReturnType<typeof runner>>;
  beforeAll(async () => {
    run = await runner(name);
  });

  test('is the mean of its formula', async () => {
    const rating = fc.float({ min: -10, max: 10, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(rating, rating), { minLength: 1, maxLength: 20 }), async (pairs) => {
        const { loss } = await run(
          pairs.map(([predicted]) => predicted),
          pairs.map(([, actual]) => actual),
        );
        const sum = pairs.reduce(
          (total, [predicted, actual]) => total + formulas[name](predicted - actual),
          0,
        );
        expect(Math.abs(loss - sum / pairs.length)).toBeLessThanOrEqual(1e-5 * (1 + loss));
      }),
    );
  });

  test('is 0 without an error, and alike above and below', async () => {
    expect((await run([2, 3], [2, 3])).loss).toBe(0);
    expect((await run([3.5], [1])).loss).toBe((await run([1], [3.5])).loss);
  });

  test('its slope is that of the formula', async () => {
    const errors = [-3, -1.2, -0.4, 0.3, 0.9, 1.5];
    const { slope } = await run(errors, Array(errors.length).fill(0));
    errors.forEach((error, at) => {
      const expected = (formulas[name](error + 1e-6) - formulas[name](error - 1e-6)) / 2e-6 / errors.length;
      expect(slope[at]).toBeCloseTo(expected, 5);
    });
  });
});

test('huber has no jump in value or slope where it turns linear', async () => {
  const run = await runner('huber');
  for (const side of [-1, 1]) {
    const [inside, outside] = [await run([side * 0.9999], [0]), await run([side * 1.0001], [0])];
    expect(Math.abs(inside.loss - outside.loss)).toBeLessThan(3e-4);
    expect(Math.abs(inside.slope[0] - outside.slope[0])).toBeLessThan(3e-4);
    expect((await run([side], [0])).loss).toBe(0.5);
  }
});
