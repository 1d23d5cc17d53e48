import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { trainingArtifacts } from '../../src/train/engines/ort-training/artifacts.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { temporaryFolder } from '../support/files.ts';
import {
  byEpochGraph,
  dropping,
  expectSame,
  forwardFile,
  type Prepared,
  plain,
  prepare,
  type Step,
  withoutDropout,
} from '../support/gradients.ts';
import { pythonForTraining, withTrainingApi } from './runtimes.ts';

const folder = temporaryFolder();

/** Natively: by the same training model, and by the one that `generate_artifacts` makes. */
async function byPython(
  python: string,
  cases: readonly Prepared[],
): Promise<{ readonly given: Step[]; readonly generated: Step[] }[]> {
  const folders: string[] = [];
  for (const one of cases) {
    const own = await mkdtemp(join(folder.path, 'case-'));
    folders.push(own);
    const batches = one.batches.map((batch) => mapValues({ ...batch }, (column) => Array.from(column)));
    const files = {
      'training_model.onnx': trainingArtifacts(one)['training_model.onnx'],
      'forward.onnx': forwardFile(one),
      'batches.json': JSON.stringify(batches),
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(own, name), content);
  }
  const { stdout } = await promisify(execFile)(
    python,
    ['test/conformance/training/gradients.py', ...folders],
    {
      env: withTrainingApi,
      maxBuffer: 1 << 28,
    },
  );
  return JSON.parse(stdout);
}

test('without dropout, the training model and that of generate_artifacts, natively', async (context) => {
  const python = await pythonForTraining().catch((error: Error) => context.skip(error.message));
  const cases = plain.map(prepare);
  const all = await byPython(python as string, cases);
  for (const [index, prepared] of cases.entries()) {
    const expected = await byEpochGraph(prepared);
    expectSame(all[index].given, expected);
    expectSame(all[index].generated, expected);
  }
});

test('with dropout, the training model and that of generate_artifacts, natively', async (context) => {
  const python = await pythonForTraining().catch((error: Error) => context.skip(error.message));
  const cases = dropping.map(prepare);
  for (const [index, { given, generated }] of (await byPython(python as string, cases)).entries()) {
    expectSame(given, generated);
    const all = await byEpochGraph(withoutDropout(cases[index]));
    for (const [at, { loss }] of given.entries()) expect(loss).not.toBeCloseTo(all[at].loss, 4);
  }
});
