import { basename } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/files.ts';
import type { GoldenCase } from './cases.ts';
import { agrees, compare } from './compare.ts';
import { modelsIn, readGolden, setOf } from './golden.ts';
import { complaintsOf, isBeyond, pythonForOnnx, runtimes } from './runtimes.ts';
import { makeGoldenSet } from './sets.ts';

describe('what other runtimes make of the same files', () => {
  const folder = temporaryFolder();
  let golden: GoldenCase[];
  beforeAll(async () => {
    await makeGoldenSet(folder.path, { epochs: 1 });
    golden = await readGolden(folder.path);
  });

  test('all heads are asked', () => {
    const heads = ['factors', 'fold-in', 'fold-in-many', 'predict', 'recommend', 'seen', 'similar'].map(
      (head) => `${head}.onnx`,
    );
    expect([...new Set(golden.map(({ model }) => basename(model)))].sort()).toEqual(
      expect.arrayContaining(heads),
    );
  });

  test("ONNX's checker finds nothing", async (context) => {
    await pythonForOnnx().catch((error: Error) => context.skip(error.message));
    const { complaints } = await complaintsOf(folder.path);
    expect(complaints).toEqual(
      Object.fromEntries((await modelsIn(folder.path)).map((model) => [model, null])),
    );
  });

  test.for(runtimes)(
    '$name gives the same ratings, and the same items in the same order',
    async (runtime, context) => {
      await runtime.fetch().catch((error: Error) => context.skip(error.message));
      const verdicts = Object.entries(compare(golden, await runtime.run(folder.path)));
      const wrong = verdicts.filter(([, verdict]) => !agrees(verdict));
      expect(wrong.filter(([model]) => !isBeyond(runtime, model))).toEqual([]);
      // A limit that is none any more is to be struck off.
      for (const kind of Object.keys(runtime.limits ?? {}))
        expect(wrong.map(([model]) => setOf(model))).toContain(`dot-bias-${kind}`);
    },
  );
});
