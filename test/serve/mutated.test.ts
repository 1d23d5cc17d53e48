import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readArtifact, writeArtifact } from '../../src/artifact/artifact.ts';
import { checkHeads } from '../../src/artifact/check-heads.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { type WorkerRuntime, workerRuntime } from '../../src/run/worker.ts';
import { ServedModel } from '../../src/serve/models.ts';
import { tryOutInProcess } from '../../src/serve/trial.ts';
import { ratingsCsv } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';
import { smallModel } from '../support/served.ts';
import { sha256 } from '../support/sha256.ts';
import { runs } from '../support/soak.ts';

const ARTIFACTS = runs(150, 2000);

const folder = temporaryFolder();
const { signal } = new AbortController();
let artifact: Artifact;
let runtime: WorkerRuntime;
beforeAll(async () => {
  artifact = await smallModel(await folder.write('ratings.csv', ratingsCsv()));
  runtime = await workerRuntime({ workers: 1 });
});
afterAll(() => runtime?.close());

interface Mutation {
  readonly file: string;
  readonly how: string;
  /** Where, as a part of the file. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Whether the manifest is made to agree, so that ONNX Runtime has to judge. */
  readonly agreed: boolean;
}

const heads = ['predict', 'recommend', 'similar', 'fold-in', 'seen'].map((head) => `${head}.onnx`);

const mutations: fc.Arbitrary<Mutation> = fc.record({
  file: fc.constantFrom('predict.onnx', 'predict.onnx', ...heads, 'titles.json', 'manifest.json'),
  how: fc.constantFrom('flip', 'replace', 'cut', 'insert', 'leave out', 'repeat'),
  // Much of what holds a file together stands at its ends.
  at: fc.oneof(
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    fc.double({ min: 0, max: 0.02, noNaN: true }),
    fc.double({ min: 0.97, max: 0.999, noNaN: true }),
  ),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  agreed: fc.boolean(),
});

function mutate(file: Uint8Array, { how, at, bytes }: Mutation): Uint8Array {
  const place = Math.floor(at * file.length);
  const [before, after] = [file.subarray(0, place), file.subarray(place)];
  switch (how) {
    case 'flip':
      return Buffer.concat(
        [before, [after[0] ^ (1 << (bytes[0] % 8))], after.subarray(1)].map((part) => Buffer.from(part)),
      );
    case 'replace':
      return Buffer.concat([before, bytes, after.subarray(bytes.length)]);
    case 'cut':
      return before;
    case 'insert':
      return Buffer.concat([before, bytes, after]);
    case 'leave out':
      return Buffer.concat([before, after.subarray(bytes.length * 4)]);
    default:
      return Buffer.concat([before, after.subarray(0, bytes.length * 4), after]);
  }
}

test(`of ${ARTIFACTS} damaged artifacts each is refused or answers, and the server goes on`, async () => {
  const directory = join(folder.path, 'movies');
  await writeArtifact(directory, artifact);
  const manifest = await readFile(join(directory, 'manifest.json'));
  // As a server tries them, but most are refused here before a process starts for them.
  const tryOut = async () => {
    checkHeads(await readArtifact(directory));
    return tryOutInProcess(directory, { signal });
  };
  const served = await ServedModel.open(directory, { runtime, tryOut });
  const counts = { taken: 0, refused: 0, unchanged: 0, failed: 0 };
  for (const mutation of fc.sample(mutations, ARTIFACTS)) {
    const { file, agreed } = mutation;
    const original = file === 'manifest.json' ? manifest : artifact.files[file];
    const bytes = mutate(original, mutation);
    await writeFile(join(directory, file), bytes);
    if (agreed && file !== 'manifest.json') {
      const { files, ...rest } = artifact.manifest;
      const entry = { ...files[file], bytes: bytes.length, sha256: sha256(bytes) };
      await writeFile(
        join(directory, 'manifest.json'),
        JSON.stringify({ ...rest, files: { ...files, [file]: entry } }),
      );
    }
    const outcome = await served.refresh();
    if (typeof outcome === 'object') expect(outcome.refused).toMatch(/^[^\n]{10,1000}$/);
    const result = typeof outcome === 'object' ? 'refused' : (outcome ?? 'unchanged');
    counts[result]++;
    // Whatever is served answers, or fails as a question may.
    const questions = [
      served.ask(({ recommender }) => recommender.predict(['u1', 'u2'], ['i1', 'nothing'])),
      served.ask(({ recommender }) => recommender.recommend(['u1', 'u2', 'nobody'], { k: 7 })),
      served.ask(({ recommender }) => recommender.similar(['i1', 'i2'], { k: 30 })),
      served.ask(({ recommender }) => recommender.foldIn([{ item: 'i1', rating: 4 }])),
    ];
    for (const { status } of await Promise.allSettled(questions)) if (status === 'rejected') counts.failed++;
    await writeFile(join(directory, file), original);
    if (agreed) await writeFile(join(directory, 'manifest.json'), manifest);
  }
  expect(counts.refused).toBeGreaterThan(ARTIFACTS / 4);
  expect(counts.taken).toBeGreaterThan(ARTIFACTS / 30);
  expect(counts.failed).toBeLessThan(counts.taken);
});
