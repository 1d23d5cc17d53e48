import { describe, test } from 'vitest';
import { byEpochGraph, byTrainingModel, expectSame, plain, prepare } from '../../support/gradients.ts';

describe('without dropout', () => {
  test.each(plain.map((one) => [one.name, one] as const))(
    '%s: the epoch graph, and the training model in WebAssembly',
    async (_, one) => {
      const prepared = prepare(one);
      expectSame(await byTrainingModel(prepared), await byEpochGraph(prepared));
    },
  );
});
