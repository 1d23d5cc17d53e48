import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FetchProgress, fetchArtifact } from '../../src/artifact/fetch.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { train } from '../../src/train/train.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';
import { expectSame, made } from '../support/made.ts';

/** Where models are served from, how, and what has been asked for there. */
let base: string;
let answer: RequestListener;
let asked: string[];
let server: Server;
beforeEach(async () => {
  // Each test has its own, so that it does not count the requests of another.
  const mine: string[] = [];
  server = createServer((request, response) => {
    mine.push(String(request.url));
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  asked = mine;
  serve({ model });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Serves artifacts by the names of their folders. */
function serve(folders: Readonly<Record<string, Artifact>>): void {
  answer = ({ url = '' }, response) => {
    const [, folder, name] = /^\/(.*)\/(.*)$/.exec(url) ?? [];
    const { manifest, files } = folders[folder] ?? { files: {} };
    const body = name === 'manifest.json' ? manifest && JSON.stringify(manifest) : files[name];
    response.writeHead(body ? 200 : 404).end(body);
  };
}

const names = ['similar.onnx', 'factors.onnx', 'train.onnx', 'items.json'];
const model = made('model', names, 70_000);
const without = (...left: string[]): Artifact => ({
  ...model,
  files: Object.fromEntries(Object.entries(model.files).filter(([name]) => !left.includes(name))),
});

describe('an artifact is fetched', () => {
  test.each(['/model', '/model/', '/model?version=2'])(
    'from %s, without the training graph',
    async (path) => {
      expectSame(await fetchArtifact(new URL(path, base)), without('train.onnx'));
    },
  );

  test.each<[string[], string[]]>([
    [['similar'], ['factors.onnx', 'train.onnx']],
    [[], ['similar.onnx', 'factors.onnx', 'train.onnx']],
  ])('with the heads %j, and what is no head', async (heads, left) => {
    const artifact = await fetchArtifact(`${base}/model`, { heads });
    expectSame(artifact, without(...left));
    expect(asked.toSorted()).toEqual(
      ['manifest.json', ...Object.keys(artifact.files)].map((name) => `/model/${name}`).toSorted(),
    );
  });

  test('without private files, unless asked', async () => {
    const { manifest, files } = made('mixed', [
      'predict.onnx',
      'seen.onnx',
      'recommend.onnx',
      ...names,
      'users.json',
    ]);
    serve({ model: { manifest, files } });
    const fetched = async (options?: object) =>
      Object.keys((await fetchArtifact(`${base}/model`, options)).files);
    const open = ['similar.onnx', 'factors.onnx', 'items.json'];
    expect(await fetched()).toEqual(open);
    expect(await fetched({ heads: (all: string[]) => all })).toEqual(open);
    expect(asked.filter((name) => /predict|seen|recommend|users/.test(name))).toEqual([]);
    expect(await fetched({ private: true })).toEqual(
      Object.keys(files).filter((name) => name !== 'train.onnx'),
    );
    expect(await fetched({ heads: ['predict'] })).toEqual(['predict.onnx', 'items.json']);
    expect(await fetched({ heads: ['recommend'] })).toEqual(['seen.onnx', 'recommend.onnx', 'items.json']);
    // A mark says more than a name.
    const marked = mapValues(manifest.files, (file, name) => ({
      ...file,
      access: name === 'similar.onnx' ? ('private' as const) : ('public' as const),
    }));
    serve({ model: { manifest: { ...manifest, files: marked }, files } });
    expect(await fetched()).toEqual([
      'predict.onnx',
      'seen.onnx',
      'recommend.onnx',
      'factors.onnx',
      'items.json',
      'users.json',
    ]);
  });

  test('and tells how much has come, up to the whole', async () => {
    const told: FetchProgress[] = [];
    await fetchArtifact(`${base}/model`, { onProgress: (progress) => told.push(progress) });
    const loaded = told.map((progress) => progress.loaded);
    expect(loaded).toEqual(loaded.toSorted((a, b) => a - b));
    expect(loaded[0]).toBeGreaterThan(0);
    expect(told.at(-1)).toEqual({ loaded: 210_000, total: 210_000 });
    expect(new Set(told.map(({ total }) => total))).toEqual(new Set([210_000]));
  });

  test('as its successor, where that comes between the manifest and the files', async () => {
    const next = made('next', ['similar.onnx', 'items.json']);
    const first = answer;
    answer = (request, response) => {
      first(request, response);
      serve({ model: next });
    };
    expectSame(await fetchArtifact(`${base}/model`), next);
  });

  test('and answers as one that was read from a folder', async () => {
    const artifact = await (await train(lowRank(), { factors: 3, epochs: 1 })).artifact();
    serve({ real: artifact });
    const [here, there] = await Promise.all(
      [artifact, await fetchArtifact(`${base}/real`, { private: true })].map(async (one) =>
        Recommender.create(one, await nodeRuntime()),
      ),
    );
    expect(there.heads).toEqual(here.heads);
    expect(there.items).toEqual(here.items);
    expect(await there.recommend(['user 1'])).toEqual(await here.recommend(['user 1']));
  });
});

const COPY = "copy the model's whole folder again";
const HTML = 'is a page of HTML, which servers send for a missing file; is it in this folder?';

describe('what cannot be fetched is one line that names the address', () => {
  const failure = (path: string) => userError(fetchArtifact(base + path));

  test('a file that is not what its manifest lists', async () => {
    const other = made('other', names, 70_000);
    serve({ model: { ...model, files: { ...model.files, 'similar.onnx': other.files['similar.onnx'] } } });
    expect(await failure('/model')).toBe(
      `${base}/model/similar.onnx: does not match manifest.json: it was changed; ${COPY}`,
    );
  });

  test('a file, or a manifest, that never ends', async () => {
    const whole = answer;
    for (const [endless, told] of [
      ['similar.onnx', /similar.onnx: has more than the 70000 bytes that manifest.json lists/],
      ['manifest.json', /manifest.json: is larger than any manifest; is this the folder/],
    ] as const) {
      let closed = false;
      answer = (request, response) => {
        if (!request.url?.endsWith(endless)) return whole(request, response);
        const chunk = Buffer.alloc(1 << 20);
        const more = () => {
          while (!closed && response.write(chunk));
        };
        response.on('drain', more).on('close', () => {
          closed = true;
        });
        more();
      };
      expect(await userError(fetchArtifact(`${base}/model`))).toMatch(told);
      await expect.poll(() => closed).toBe(true);
    }
  });

  test('the other files stop when one fails', async () => {
    const whole = answer;
    let closed = false;
    answer = (request, response) => {
      if (request.url?.endsWith('similar.onnx')) return response.end('other');
      if (!request.url?.endsWith('factors.onnx')) return whole(request, response);
      response.on('close', () => {
        closed = true;
      });
      return response.write('half');
    };
    expect(await userError(fetchArtifact(`${base}/model`))).toContain(
      'similar.onnx: has 5 of the 70000 bytes',
    );
    await expect.poll(() => closed).toBe(true);
  });

  test('a model that is larger than is allowed, before a byte of it comes', async () => {
    expect(await userError(fetchArtifact(`${base}/model`, { maxBytes: 1e5 }))).toBe(
      `${base}/model/: has 210000 bytes, more than the 100000 that are allowed; allow more with \`maxBytes\``,
    );
    expect(asked.some((name) => name.endsWith('.onnx'))).toBe(false);
  });

  test.each<[string, (manifest: Artifact['manifest']) => unknown, RegExp]>([
    [
      'too large a file',
      ({ files }) => ({ 'similar.onnx': { ...files['similar.onnx'], bytes: 1e15 } }),
      /bytes/,
    ],
    [
      'a file of −1 bytes',
      ({ files }) => ({ 'similar.onnx': { ...files['similar.onnx'], bytes: -1 } }),
      /bytes/,
    ],
    [
      'thousands of files',
      ({ files }) =>
        Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`f${n}.json`, files['items.json']])),
      /files: there are more than 100/,
    ],
  ])('a manifest with %s', async (_, filesOf, told) => {
    const { manifest } = model;
    answer = ({ url }, response) => {
      asked.push(String(url));
      response.end(JSON.stringify({ ...manifest, files: filesOf(manifest) }));
    };
    expect(await userError(fetchArtifact(`${base}/model`))).toMatch(told);
    expect(asked.some((name) => !name.endsWith('manifest.json'))).toBe(false);
  });

  test('an answer without a body, and what is no address', async () => {
    answer = (_, response) => response.writeHead(204).end();
    expect(await failure('/model')).toContain('cannot be fetched (HTTP 204)');
    for (const address of ['http://', 'http://127.0.0.1:99999/', 'movies'])
      expect(await userError(fetchArtifact(address))).toContain(`${address}: is not an address`);
  });

  test('a file that is not there', async () => {
    serve({ model: without('items.json') });
    expect(await failure('/model')).toBe(
      `${base}/model/items.json: cannot be fetched (HTTP 404); manifest.json lists it; publish it, or name the heads that are there in \`heads\``,
    );
  });

  test('no model', async () => {
    expect(await failure('/nothing')).toContain(
      `${base}/nothing/manifest.json: cannot be fetched (HTTP 404)`,
    );
  });

  test.each([
    ['<!doctype html>', HTML],
    ['', `is cut off; ${COPY}`],
    ['{"format": 4, "cofactor": "0.1', `is cut off; ${COPY}`],
    ['no model', 'is not JSON; is this the folder of a trained model?'],
  ])('%j for a manifest', async (body, told) => {
    answer = (_, response) => response.end(body);
    expect(await failure('/page')).toBe(`${base}/page/manifest.json: ${told}`);
  });

  test.each(['similar.onnx', 'items.json'])('a page for %s', async (name) => {
    const files = { ...model.files, [name]: new TextEncoder().encode('<!doctype html>') };
    serve({ model: { ...model, files } });
    expect(await failure('/model')).toBe(`${base}/model/${name}: ${HTML}`);
  });

  test('a manifest that is none', async () => {
    answer = (_, response) => response.end('{"name":"app"}');
    expect(await failure('/page')).toContain(`${base}/page/manifest.json: format: `);
  });

  test('a server that is not there, or hangs up', async () => {
    expect(await userError(fetchArtifact('http://127.0.0.1:1/model'))).toMatch(
      /^http:\/\/127\.0\.0\.1:1\/model\/manifest\.json: cannot be fetched \(.+\); is the network there\?$/,
    );
    const { manifest } = model;
    answer = ({ url }, response) => {
      if (url?.endsWith('manifest.json')) return response.end(JSON.stringify(manifest));
      response.writeHead(200, { 'content-length': 70_000 }).write('half');
      return setTimeout(() => response.destroy(), 20);
    };
    expect(await failure('/model')).toMatch(/\/model\/.*: cannot be fetched \(.+\); is the network there\?$/);
  });
});

describe('an abort ends it, as that and no other error', () => {
  test('before it began', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(fetchArtifact(`${base}/model`, { signal })).rejects.toThrow('enough');
  });

  test('while files come', async () => {
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('enough'));
    const whole = answer;
    answer = (request, response) => {
      if (request.url?.endsWith('manifest.json')) return whole(request, response);
      return response.write('beginning');
    };
    await expect(fetchArtifact(`${base}/model`, { signal: abort.signal, onProgress })).rejects.toThrow(
      'enough',
    );
  });
});

describe('where the browser keeps files', () => {
  /** As much of a `CacheStorage` as is used, in memory. */
  let kept: Map<string, Uint8Array<ArrayBuffer>>;
  const cache = {
    match: async (key: URL | string) => {
      const bytes = kept.get(String(key));
      return bytes && new Response(bytes);
    },
    put: async (key: URL | string, response: Response) => {
      kept.set(String(key), new Uint8Array(await response.arrayBuffer()));
    },
    keys: async () => [...kept.keys()].map((url) => ({ url })),
    delete: async (key: URL | string) => kept.delete(String(key)),
  };
  const open = vi.fn(async () => cache);
  beforeEach(() => {
    kept = new Map();
    open.mockReset();
    open.mockImplementation(async () => cache);
    vi.stubGlobal('caches', { open });
    return () => vi.unstubAllGlobals();
  });
  const keptNames = () => [...kept.keys()].map((key) => key.slice(base.length).replace(/\?.*/, '')).sort();

  test('the second visit fetches the manifest alone', async () => {
    await fetchArtifact(`${base}/model`);
    expect(asked).toHaveLength(4);
    asked.length = 0;
    const told: FetchProgress[] = [];
    const onProgress = (progress: FetchProgress) => told.push(progress);
    expectSame(await fetchArtifact(`${base}/model`, { onProgress }), without('train.onnx'));
    expect(asked).toEqual(['/model/manifest.json']);
    expect(told.at(-1)).toEqual({ loaded: 210_000, total: 210_000 });
  });

  test('other heads come when they are wanted', async () => {
    await fetchArtifact(`${base}/model`, { heads: ['similar'] });
    asked.length = 0;
    await fetchArtifact(`${base}/model`, { heads: ['similar', 'factors'] });
    expect(asked).toEqual(['/model/manifest.json', '/model/factors.onnx']);
    asked.length = 0;
    await fetchArtifact(`${base}/model`, { heads: ['similar'] });
    await fetchArtifact(`${base}/model`, { heads: ['factors'] });
    expect(asked).toEqual(['/model/manifest.json', '/model/manifest.json']);
  });

  test.each<[string, RequestListener]>([
    ['the network', (request) => request.socket.destroy()],
    ['the server', (_, response) => response.writeHead(503).end()],
  ])('it works without %s, but not what never came', async (_, broken) => {
    await fetchArtifact(`${base}/model`, { heads: ['similar'] });
    answer = broken;
    expectSame(
      await fetchArtifact(`${base}/model`, { heads: ['similar'] }),
      without('factors.onnx', 'train.onnx'),
    );
    expect(await userError(fetchArtifact(`${base}/model`))).toContain(
      `${base}/model/factors.onnx: cannot be`,
    );
    expect(await userError(fetchArtifact(`${base}/other`))).toContain(
      `${base}/other/manifest.json: cannot be`,
    );
  });

  test('a new version takes the place of the old, and leaves other models alone', async () => {
    const next = made('next', ['similar.onnx']);
    serve({ model, other: model, 'model/inner': model, 'model-2': model });
    const others = ['model/inner', 'model-2', 'other'];
    for (const folder of ['model', ...others]) await fetchArtifact(`${base}/${folder}`);
    serve({ model: next });
    expectSame(await fetchArtifact(`${base}/model`), next);
    const files = ['items.json', 'manifest.json', 'similar.onnx', 'factors.onnx'];
    await vi.waitFor(() =>
      expect(keptNames()).toEqual(
        [
          '/model/manifest.json',
          '/model/similar.onnx',
          ...others.flatMap((folder) => files.map((name) => `/${folder}/${name}`)),
        ].sort(),
      ),
    );
  });

  test('what was spoiled there comes again', async () => {
    await fetchArtifact(`${base}/model`);
    const key = [...kept.keys()].find((key) => key.includes('similar.onnx')) as string;
    kept.set(key, Uint8Array.of(1, 2, 3));
    asked.length = 0;
    expectSame(await fetchArtifact(`${base}/model`), without('train.onnx'));
    expect(asked).toEqual(['/model/manifest.json', '/model/similar.onnx']);
    expect(kept.get(key)).toHaveLength(70_000);
  });

  test('a broken file is not kept', async () => {
    serve({ model: { ...model, files: made('other', names).files } });
    await userError(fetchArtifact(`${base}/model`));
    expect(keptNames()).toEqual(['/model/manifest.json']);
  });

  test('a full disk, or a browser that refuses, is no reason to fail', async () => {
    open.mockImplementation(async () => ({
      ...cache,
      put: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
    }));
    expectSame(await fetchArtifact(`${base}/model`), without('train.onnx'));
    const refuse = () => Promise.reject(new DOMException('private', 'SecurityError'));
    open.mockImplementation(refuse);
    expectSame(await fetchArtifact(`${base}/model`), without('train.onnx'));
    open.mockImplementation(async () => ({ ...cache, match: refuse, put: refuse, keys: refuse }));
    expectSame(await fetchArtifact(`${base}/model`), without('train.onnx'));
    expect(await userError(fetchArtifact(`${base}/other`))).toContain('manifest.json: cannot be fetched');
  });

  test('a browser in which the mere look at its cache throws is no reason to fail', async () => {
    vi.unstubAllGlobals();
    Object.defineProperty(globalThis, 'caches', {
      configurable: true,
      get() {
        throw new DOMException('sandboxed', 'SecurityError');
      },
    });
    await fetchArtifact(`${base}/model`)
      .then((artifact) => expectSame(artifact, without('train.onnx')))
      .finally(() => Reflect.deleteProperty(globalThis, 'caches'));
  });

  test('nothing is kept where that is not wanted', async () => {
    await fetchArtifact(`${base}/model`, { cache: false });
    expect(open).not.toHaveBeenCalled();
    expect(kept.size).toBe(0);
  });
});
