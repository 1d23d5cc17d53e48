import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import { readArtifact } from '../../src/artifact/artifact.ts';
import type { FetchProgress } from '../../src/artifact/fetch.ts';
import { load } from '../../src/recommend/load.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { load as loadInPage } from '../../src/web.ts';
import { staticHost } from '../support/browser.ts';
import { userError } from '../support/files.ts';

const folder = fileURLToPath(new URL('../support/artifacts/format-2', import.meta.url));
const host = staticHost(() => ({ '/model/': `${folder}/` }));

const places: [string, () => string | URL][] = [
  ['a path', () => folder],
  ['a file URL', () => pathToFileURL(folder)],
  ['a file URL as text', () => pathToFileURL(folder).href],
  ['an address', () => `${host.url}model`],
  ['an address as a URL', () => new URL('model/', host.url)],
];

test.each(places)('a model loads from %s', async (_, place) => {
  const recommender = await load(place());
  expect(await recommender.predict('u1', 'i7')).toBeCloseTo(2.7048, 3);
  expect(recommender.heads).toContain('recommend');
});

test.each(places)('from %s come only the heads that are named, and progress is told', async (_, place) => {
  const told: FetchProgress[] = [];
  const recommender = await load(place(), { heads: ['predict'], onProgress: (one) => told.push(one) });
  expect(recommender.heads).toEqual(['predict']);
  expect(await recommender.predict('u1', 'i7')).toBeCloseTo(2.7048, 3);
  expect(await userError(recommender.recommend('u1'))).toBe(
    'recommend.onnx is about users and was not loaded; name "recommend" in heads, or give private: true without heads',
  );
  expect(await userError(recommender.similar('i1'))).toBe(
    'similar.onnx was not loaded; name "similar" in heads, or leave out heads',
  );
  expect(told.at(-1)?.loaded).toBe(told.at(-1)?.total);
});

test.each(places)('from %s nothing comes once it is stopped', async (_, place) => {
  await expect(load(place(), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});

test('what is not there is one line with a code', async () => {
  await expect(load(`${folder}/nothing`)).rejects.toMatchObject({ name: 'UserError', code: 'model' });
  expect(await userError(load(`${folder}/nothing`))).toMatch(
    /nothing: is not a trained model: there is no such folder; make one/,
  );
  for (const source of [undefined, null, 3, ''] as unknown as string[])
    expect(await userError(load(source))).toMatch(/^the model's folder is .*; give a path or a URL$/);
  await expect(load(`${host.url}nothing/`)).rejects.toMatchObject({ name: 'UserError', code: 'network' });
  await expect(load('http://127.0.0.1:1/')).rejects.toMatchObject({ name: 'UserError', code: 'network' });
  expect(await userError(load(folder, { heads: ['guess'] }))).toMatch(
    /^the model has no head "guess"; it has /,
  );
  await expect(load(folder, { heads: ['guess'] })).rejects.toMatchObject({
    name: 'UserError',
    code: 'argument',
  });
});

test('a page loads public files, says once that others lie beside, and loads them if asked', async () => {
  const said = vi.spyOn(console, 'warn').mockReturnValue();
  const runtime = await nodeRuntime();
  const url = `${host.url}model/`;
  const whole = await loadInPage(url, { runtime, private: true });
  expect(whole.heads).toEqual((await load(folder)).heads);
  const asking = await loadInPage(url, { runtime, heads: ['predict'] });
  expect(asking.heads).toEqual(['predict']);
  expect(said).not.toHaveBeenCalled();
  const open = await loadInPage(url, { runtime });
  expect(open.heads.toSorted()).toEqual(['factors', 'fold-in', 'similar']);
  expect(await open.similar('i1', { k: 3 })).toHaveLength(3);
  expect(await userError(open.predict('u1', 'i7'))).toBe(
    'predict.onnx is about users and was not loaded; name "predict" in heads, or give private: true without heads',
  );
  await loadInPage(url, { runtime, heads: ['similar'] });
  expect(said.mock.calls).toEqual([
    [
      `cofactor: the manifest in ${url} lists predict.onnx, recommend.onnx, seen.onnx, which tell about users; if they lie there, everybody can fetch them: publish what npx cofactor export MODEL --public OUT writes`,
    ],
  ]);
  said.mockRestore();
  // In Node all are loaded, unless not wanted.
  expect((await load(folder, { private: false })).heads).toEqual(open.heads);
});

test('a runtime of one’s own runs it, in Node as in a page', async () => {
  const runtime = await nodeRuntime();
  for (const recommender of [
    await load(folder, { runtime }),
    await loadInPage(`${host.url}model/`, { runtime, heads: ['predict'] }),
  ])
    expect(await recommender.predict('u1', 'i7')).toBeCloseTo(2.7048, 3);
  expect(await userError(load(folder, { runtime, device: 'cpu' }))).toBe(
    'runtime and device are both given; give one of them',
  );
  expect(await userError(loadInPage(`${host.url}model/`, { device: 'cuda' }))).toBe(
    'a page runs models on the CPU; leave out the device cuda',
  );
});

test.each<[string, unknown]>([
  ['a text for heads', { heads: 'predict' }],
  ['a number in heads', { heads: [5] }],
  ['null', null],
  ['an option that there is not', { head: ['predict'] }],
  ['no signal', { signal: {} }],
  ['no function', { onProgress: 5 }],
  ['no runtime', { runtime: {} }],
  ['no size', { maxBytes: Number.NaN }],
])('options with %s are refused, in Node as in a page', async (_, given) => {
  const options = given as object;
  for (const asked of [
    load(folder, options),
    load(`${host.url}model`, options),
    loadInPage(`${host.url}model`, options),
  ])
    await expect(asked).rejects.toMatchObject({ name: 'UserError', code: 'argument' });
});

test.each(places)('from %s an error of onProgress stays what it is', async (_, source) => {
  const mine = new Error('mine');
  const onProgress = () => {
    throw mine;
  };
  await expect(load(source(), { onProgress })).rejects.toBe(mine);
});

test('what is seen comes with recommend, which leaves it out', async () => {
  const recommender = await load(folder, { heads: ['recommend'] });
  expect(recommender.heads.toSorted()).toEqual(['recommend', 'seen']);
  expect(await recommender.recommend('u1')).toEqual(await (await load(folder)).recommend('u1'));
});

test.each([
  ['titles.json', 'zz', /^titles.json: is not JSON; train the model again$/],
  ['titles.json', '{"i6":"Si', /^titles.json: is cut off; copy the model's whole folder again$/],
  ['items.json', '<!doctype html>', /^items.json: is a page of HTML/],
  ['titles.json', '[1,2]', /^titles.json: is no object of titles/],
  ['titles.json', '{"i6":{"a":1}}', /^titles.json: is no object of titles/],
  ['items.json', '{"item":5}', /^items.json: item: /],
  ['items.json', 'null', /^items.json: /],
  ['items.json', '{"item":["a"],"ratings":[],"average":[1]}', /^items.json: its columns differ in length/],
  ...(
    [
      ['1', /^items.json: is no object of columns; train the model again$/],
      ['[]', /^items.json: is no object of columns/],
      ['{}', /^items.json: item: is missing; train the model again$/],
      ['{"item":{}}', /^items.json: item: is no list; /],
      ['{"item":[1],"count":[1]}', /^items.json: item.0: is no text; /],
      ['{"item":["a"],"count":["1"]}', /^items.json: count.0: is no finite number; /],
      ['{"item":["a"],"count":[1],"average":[1e400]}', /^items.json: average.0: is no finite number; /],
      ['{"item":["a"],"count":[1],"genres":["x"]}', /^items.json: genres.0: is no list; /],
      ['{"item":["a"],"count":[1],"genres":[[null]]}', /^items.json: genres.0.0: is no text; /],
      [`${'['.repeat(99_999)}${']'.repeat(99_999)}`, /^items.json: is no object of columns/],
      ['{"item":[],"count":[]}', /^items.json: has 0 items where the model has \d+; train the model again$/],
      ['{"item":["a"],"count":[1]}', /^items.json: has 1 items where the model has \d+; /],
      ['{"item":["a"]}', /^items.json: its columns differ in length; /],
    ] as const
  ).map(([text, told]): [string, string, RegExp] => ['items.json', text, told]),
])('%s with %s is refused in one line', async (name, text, told) => {
  const artifact = await readArtifact(folder);
  const files = { ...artifact.files, [name]: new TextEncoder().encode(text) };
  const made = Recommender.create({ ...artifact, files }, await nodeRuntime());
  expect(await userError(made)).toMatch(told);
  await expect(made).rejects.toMatchObject({ code: 'model' });
});
