import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readArtifact } from '../../src/artifact/artifact.ts';
import { FORMAT } from '../../src/artifact/format.ts';
import { parseManifest } from '../../src/artifact/manifest.ts';
import { load } from '../../src/recommend/load.ts';
import { trainingFiles } from '../../src/train/engines/ort-training/export.ts';

/** One model of each format that there ever was: 30 users, 20 items, 2 factors, 2 epochs. */
const folder = fileURLToPath(new URL('../support/artifacts', import.meta.url));
/** As small, of interactions, which there are from format 4 on. */
const INTERACTIONS = 'format-4-interactions';
const FORMATS = Array.from({ length: FORMAT }, (_, index) => index + 1);

test('a model of each format is kept', async () => {
  const folders = [...FORMATS.map((format) => `format-${format}`), INTERACTIONS];
  expect((await readdir(folder)).sort()).toEqual(folders.sort());
});

test('a model of interactions still answers', async () => {
  const recommender = await load(join(folder, INTERACTIONS));
  expect([recommender.kind, recommender.objective]).toEqual(['interactions', 'ranking']);
  expect(recommender.artifact.manifest.data.reading).toEqual({
    eventColumn: 'event',
    eventWeights: { view: 1, buy: 4 },
    leaveOut: ['buy'],
  });
  // Only some of what a user has is left out: two of 20 items.
  expect(await recommender.recommend('u1', { k: 20 })).toHaveLength(18);
  expect((await recommender.foldIn(['i1'])).recommended).toHaveLength(10);
  expect(await recommender.foldIn([['i1'], []])).toHaveLength(2);
  expect(await recommender.score('u1', 'i7')).toBeTypeOf('number');
  expect(recommender.items.reduce((sum, { count }) => sum + count, 0)).toBe(240);
});

test.each(FORMATS)('a model of format %i still answers', async (format) => {
  const directory = join(folder, `format-${format}`);
  const recommender = await load(directory);
  const heads = ['factors', 'fold-in', 'predict', 'recommend', 'seen', 'similar'];
  expect(recommender.heads.sort()).toEqual([...heads, ...(format < 3 ? [] : ['fold-in-many'])].sort());
  expect(recommender.objective).toBe(format < 3 ? 'rating' : 'both');
  expect(await recommender.predict('u1', 'i7')).toBeCloseTo(2.7048, 3);
  const [best] = await recommender.recommend('u1', { k: 1 });
  expect(best.item).toMatch(/^i\d+$/);
  expect(await recommender.similar('i1', { k: 3 })).toHaveLength(3);
  expect((await recommender.foldIn([{ item: 'i1', rating: 5 }])).recommended).toHaveLength(10);
  expect(recommender.items).toHaveLength(20);
});

test.each(FORMATS)('what is wrong with a manifest of format %i is named', async (format) => {
  const bytes = await readFile(join(folder, `format-${format}`, 'manifest.json'));
  const manifest = JSON.parse(bytes.toString());
  const parse = (changes: object) => () =>
    parseManifest(Buffer.from(JSON.stringify({ ...manifest, ...changes })), 'manifest.json');
  expect(parse({ training: undefined })).toThrow(/^manifest.json: training: /);
  expect(parse({ training: 'abc' })).toThrow(/^manifest.json: training: /);
  expect(parse({ model: null })).toThrow(/^manifest.json: model: /);
  expect(parse({ model: { name: 'dot-bias', config: null } })).toThrow(/^manifest.json: model.config: /);
  expect(parse({ history: [] })).toThrow(/^manifest.json: history: /);
});

test.each(FORMATS)('a manifest of format %i is read as one of today', async (format) => {
  const artifact = await readArtifact(join(folder, `format-${format}`));
  const { manifest } = artifact;
  expect(manifest.format).toBe(FORMAT);
  expect(manifest.model.config).toEqual({
    factors: 2,
    range: [0, 5.5],
    initialStd: 0.01,
    spectral: [0.08, 0.2],
  });
  const training = { objective: 'rating', epochs: 2, batchSize: 16, sparseUpdates: false };
  expect(manifest.training).toMatchObject(training);
  const ranking = { objective: 'ranking', epochs: 2, positive: 4, negatives: 'all', usersPerStep: 64 };
  if (format < 3) expect(manifest).not.toHaveProperty('ranking');
  else expect(manifest.ranking).toMatchObject({ model: { config: { factors: 2 } }, training: ranking });
  expect(Object.keys(trainingFiles(artifact))).toContain('training_model.onnx');
});
