import { Tensor } from 'onnxruntime-common';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import {
  QueueFullError,
  WorkerError,
  type WorkerOptions,
  type WorkerRuntime,
  workerRuntime,
} from '../../src/run/worker.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { lowRank } from '../support/low-rank.ts';

const ratings = lowRank();
const { userIds, itemIds } = ratings;

let runtime: WorkerRuntime;
/** How many runs each batch joined. */
let batches: number[];

async function start(options: WorkerOptions = {}): Promise<WorkerRuntime> {
  batches = [];
  runtime = await workerRuntime({ workers: 1, onBatch: (runs) => batches.push(runs), ...options });
  return runtime;
}
afterEach(() => runtime?.close());

/** Why promises fail; undefined for one that does not. */
const reasons = async (promises: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((settled) => 'reason' in settled && settled.reason);

const strings = (...ids: string[]) => new Tensor('string', ids, [ids.length]);

describe.each<[string, Recipe]>([
  ['dot-bias', {}],
  ['mlp', { model: 'mlp', hidden: [20, 10] }],
])('runs of %s', (_, recipe) => {
  let artifact: Artifact;
  let here: Recommender;
  beforeAll(async () => {
    here = await (await train(ratings, { ...recipe, epochs: 1 })).recommender({ seen: true });
    ({ artifact } = here);
  });

  /** Questions of all kinds, about 60 users and items, an unknown one among them. */
  function questions(recommender: Recommender): (() => Promise<unknown>)[] {
    const users = [...userIds.slice(0, 50), 'nobody'];
    return users.flatMap((user, index) => {
      const items = itemIds.slice(index % 7, (index % 7) + (index % 5));
      return [
        () => recommender.predict(Array<string>(items.length).fill(user), items),
        () => recommender.recommend([user, 'nobody'], { k: 4, exclude: items }),
        () => recommender.recommend([user], { k: 2 + (index % 2), includeSeen: true }),
        () => recommender.similar([itemIds[index % itemIds.length], 'nothing'], { k: 3 }),
        () =>
          recommender.foldIn(
            items.map((item) => ({ item, rating: 2 })),
            { k: 3 },
          ),
      ];
    });
  }

  test('that are joined give exactly what each gives alone', async () => {
    const there = await Recommender.create(artifact, await start({ queue: 1000 }));
    const alone: unknown[] = [];
    for (const question of questions(here)) alone.push(await question());
    expect(await Promise.all(questions(there).map((question) => question()))).toEqual(alone);
    expect(Math.max(...batches)).toBeGreaterThan(20);
    expect(batches.reduce((sum, runs) => sum + runs)).toBeGreaterThan(alone.length);
  });
});

describe('a worker runtime', () => {
  let artifact: Artifact;
  beforeAll(async () => {
    artifact = await (await train(ratings, { factors: 3, epochs: 1 })).artifact();
  });

  async function session(options: WorkerOptions = {}, batch?: number) {
    return (await start(options)).createSession(artifact.files['recommend.onnx'], { batch });
  }

  const feeds = (k: number, ...users: string[]) => ({
    user: strings(...users),
    k: new Tensor('int64', [BigInt(k)], [1]),
    exclude: new Tensor('string', [], [users.length, 0]),
  });

  test('joins waiting runs up to so many rows, and only those whose other inputs are alike', async () => {
    const recommend = await session({}, 6);
    const runs = [1, 2, 1, 2, 1, 2, 1, 2].map((k) => recommend.run(feeds(k, 'u1', 'u2')));
    const widths = (await Promise.all(runs)).map(({ item }) => item.dims);
    expect(widths).toEqual([1, 2, 1, 2, 1, 2, 1, 2].map((k) => [2, k]));
    // The first at once; then the other three of 1 or three of 2, as many as six rows hold.
    expect(batches).toEqual([1, 3, 3, 1]);
  });

  test('lets so many wait, and refuses one more', async () => {
    const recommend = await session({ queue: 3 }, 1);
    const runs = [1, 2, 3, 4, 5, 6].map((k) => recommend.run(feeds(k, 'u1')));
    expect(runtime.waiting).toBe(3);
    const settled = await Promise.allSettled(runs);
    expect(settled.map(({ status }) => status)).toEqual([
      ...Array(4).fill('fulfilled'),
      ...Array(2).fill('rejected'),
    ]);
    expect(settled[5]).toMatchObject({ reason: expect.any(QueueFullError) });
    expect(runtime.waiting).toBe(0);
    expect((await recommend.run(feeds(2, 'u1'))).item.dims).toEqual([1, 2]);
  });

  test('fails a run that ONNX Runtime refuses, and none that was joined with it', async () => {
    const recommend = await session();
    const good = recommend.run(feeds(3, 'u1'));
    const unlike = recommend.run({ ...feeds(3, 'u1', 'u2'), exclude: strings('i1', 'i2') });
    const missing = recommend.run({ user: strings('u1') });
    const negative = [recommend.run(feeds(-1, 'u1')), recommend.run(feeds(-1, 'u2'))];
    const also = recommend.run(feeds(3, 'u2'));
    const settled = await Promise.allSettled([good, also, unlike, missing, ...negative]);
    expect(settled.map(({ status }) => status)).toEqual([
      ...Array(2).fill('fulfilled'),
      ...Array(4).fill('rejected'),
    ]);
  });

  test('replaces a thread that ends, and loses only what it was doing', async () => {
    const recommend = await session({ workers: 2 });
    const expected = (await recommend.run(feeds(3, 'u1'))).item.data;
    const { threads } = runtime as unknown as { threads: { terminate(): Promise<void> }[] };
    // What they are sent from now on they do not come to, however fast they are.
    const ending = threads.map((thread) => thread.terminate());
    const lost = [recommend.run(feeds(1, 'u1')), recommend.run(feeds(2, 'u1'))];
    const waiting = recommend.run(feeds(3, 'u1'));
    const ended = reasons(lost);
    await Promise.all(ending);
    expect(await ended).toEqual([expect.any(WorkerError), expect.any(WorkerError)]);
    expect((await waiting).item.data).toEqual(expected);
    const all = Array.from({ length: 8 }, () => recommend.run(feeds(3, 'u1')));
    for (const { item } of await Promise.all(all)) expect(item.data).toEqual(expected);
  });

  test('frees a session', async () => {
    const recommend = await session();
    await recommend.release();
    await expect(recommend.run(feeds(1, 'u1'))).rejects.toThrow(/no session/);
  });

  test('refuses what is no model, and goes on', async () => {
    const recommend = await session();
    await expect(runtime.createSession(Buffer.from('no model'))).rejects.toThrow(/protobuf/i);
    expect((await recommend.run(feeds(1, 'u1'))).item.dims).toEqual([1, 1]);
  });

  test('that is closed rejects what waits and what comes', async () => {
    const recommend = await session();
    const runs = [1, 2, 3].map((k) => recommend.run(feeds(k, 'u1')));
    const ended = reasons(runs);
    await runtime.close();
    // The first may have been answered before its thread ended.
    const [, ...waiting] = await ended;
    const all = [...waiting, ...(await reasons([recommend.run(feeds(1, 'u1'))]))];
    expect(all).toEqual(Array(3).fill(expect.any(WorkerError)));
  });
});
