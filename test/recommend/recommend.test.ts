import * as web from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { UserError } from '../../src/errors.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Runtime } from '../../src/run/runtime.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { userError } from '../support/files.ts';
import { count, padded, rowsOf, strings } from '../support/heads.ts';
import { lowRank } from '../support/low-rank.ts';
import { itemsAlone } from '../support/own.ts';

web.env.wasm.numThreads = 1;

const ratings = lowRank();
const { userIds, itemIds } = ratings;
const ratedBy = (user: string): string[] =>
  Array.from(ratings.items, (item, at) => [userIds[ratings.users[at]], itemIds[item]])
    .filter(([other]) => other === user)
    .map(([, item]) => item);

const titles = new Map([
  ['item 3', 'Köln 75'],
  ['item 0', '"Quoted", 📽️'],
  ['item 999', 'unknown to the model'],
]);
const trained = await train(ratings, { factors: 3, objective: 'rating' });
const artifact = await trained.artifact({ seen: true, titles });
const node = await nodeRuntime();
const recommender = await Recommender.create(artifact, node);

/** The same artifact with other runs of a head, or without some of its files. */
function changed({ batch, without = [] }: { batch?: number; without?: readonly string[] }): Artifact {
  const kept = Object.entries(artifact.manifest.files).filter(([name]) => !without.includes(name));
  const files = kept.map(([name, { bytes, sha256 }]) => [name, { bytes, sha256, batch }]);
  return {
    manifest: { ...artifact.manifest, files: Object.fromEntries(files) },
    files: Object.fromEntries(kept.map(([name]) => [name, artifact.files[name]])),
  };
}

/** Users of many kinds, with lists of different lengths to exclude. */
const users = Array.from({ length: 23 }, (_, at) => (at % 6 === 5 ? 'nobody' : userIds[(at * 7) % 40]));
const exclude = users.map((_, at) => itemIds.filter((_, item) => (item * at) % 5 === 1).slice(0, at));
const excludeByUser = new Map(users.map((user, at) => [user, exclude[at]]));

describe('recommend', () => {
  test('leaves out what a user has rated by default', async () => {
    const found = await recommender.recommend(userIds, { k: 30 });
    const all = await recommender.recommend(userIds, { k: 30, includeSeen: true });
    for (const [at, user] of userIds.entries()) {
      const out = new Set(ratedBy(user));
      expect(all[at]).toHaveLength(30);
      expect(found[at]).toEqual(all[at].filter(({ item }) => !out.has(item)));
      const predicted = await recommender.predict(
        all[at].map(() => user),
        all[at].map(({ item }) => item),
      );
      for (const [index, { rating = Number.NaN }] of all[at].entries()) {
        expect(Math.abs(rating - predicted[index])).toBeLessThan(1e-5);
        expect(rating).toBeLessThanOrEqual(all[at][index - 1]?.rating ?? rating);
      }
    }
    expect((await recommender.recommend(['user 1']))[0]).toEqual(found[1].slice(0, 10));
    const [nobody] = await recommender.recommend(['nobody'], { k: 50 });
    expect(new Set(nobody.map(({ item }) => item))).toEqual(new Set(itemIds));
  });

  test('leaves out what it is told to as well', async () => {
    const unrated = itemIds.find((id) => !ratedBy('user 2').includes(id)) as string;
    const out = [unrated, 'nothing', unrated, ''];
    for (const seen of [true, false]) {
      const [all] = await recommender.recommend(['user 2'], { k: 30, includeSeen: seen });
      const found = await recommender.recommend('user 2', { k: 30, includeSeen: seen, exclude: out });
      const ofOne = new Map([['user 2', out]]);
      expect(
        await recommender.recommend(['user 1', 'user 2'], { k: 30, includeSeen: seen, excludeByUser: ofOne }),
      ).toEqual([await recommender.recommend('user 1', { k: 30, includeSeen: seen }), found]);
      expect(found).toHaveLength(all.length - 1);
      expect(found).toEqual(all.filter(({ item }) => item !== unrated));
    }
  });

  test('leaves nothing out where the artifact knows of nothing', async () => {
    const old = await Recommender.create(changed({ without: ['seen.onnx'] }), node);
    expect(await old.recommend(['user 1'])).toEqual(
      await recommender.recommend(['user 1'], { includeSeen: true }),
    );
  });

  test.each([1, 2, 3, 22, 23])('of many users is that of each alone, %i at once', async (batch) => {
    const inPieces = await Recommender.create(changed({ batch }), node);
    const many = await inPieces.recommend(users, { k: 4, excludeByUser });
    for (const [at, user] of users.entries()) {
      const [one] = await recommender.recommend([user], { k: 4, exclude: excludeByUser.get(user) });
      expect(many[at].map(({ item }) => item)).toEqual(one.map(({ item }) => item));
      for (const [index, { score }] of many[at].entries())
        expect(Math.abs(score - one[index].score)).toBeLessThan(1e-6);
    }
    const fed = { user: strings(users), exclude: padded(exclude), k: count(30) };
    const [pieces, whole] = await Promise.all(
      [inPieces, recommender].map((one) => one.run('recommend', fed)),
    );
    expect(rowsOf(pieces.item)).toEqual(rowsOf(whole.item));
    const rated = await inPieces.run('seen', { user: strings(users) });
    expect(rowsOf<string>(rated.item).map((row) => row.filter((id) => id !== ''))).toEqual(
      users.map(ratedBy),
    );
  });

  test('of nobody is nothing', async () => {
    expect(await recommender.recommend([])).toEqual([]);
    expect(await recommender.recommend([], { exclude: [], includeSeen: true })).toEqual([]);
    expect(await recommender.similar([])).toEqual([]);
    const none = { user: strings([]), exclude: strings([], [0, 2]), k: count(3) };
    expect((await recommender.run('recommend', none)).item.dims).toEqual([0, 3]);
    expect((await recommender.run('seen', { user: strings([]) })).item.dims).toEqual([0, 0]);
  });
});

describe('similar', () => {
  test('is of each item what it is alone, and nothing of an unknown one', async () => {
    const asked = ['item 4', 'nothing', 'item 0', 'item 4'];
    const inPieces = await Recommender.create(changed({ batch: 1 }), node);
    const found = await inPieces.similar(asked, { k: 5 });
    expect(found).toEqual(await recommender.similar(asked, { k: 5 }));
    expect(found.map((list) => list.length)).toEqual([5, 0, 5, 5]);
    expect(found[3]).toEqual(found[0]);
    const [all] = await recommender.similar(['item 4'], { k: 100 });
    expect(all.map(({ item }) => item).sort()).toEqual(itemIds.filter((id) => id !== 'item 4').sort());
    for (const { similarity } of all) expect(Math.abs(similarity)).toBeLessThan(1.000001);
  });
});

describe('fold in', () => {
  const own = ratedBy('user 7').map((item, at) => ({ item, rating: 1 + (at % 5) }));

  test('leaves out what is rated and what it is told to', async () => {
    const { recommended, parameters } = await recommender.foldIn(own, { k: 30 });
    const rated = new Set(own.map(({ item }) => item));
    expect(recommended.map(({ item }) => item).sort()).toEqual(itemIds.filter((id) => !rated.has(id)).sort());
    expect(Object.entries(parameters).map(([name, row]) => [name, row.length])).toEqual([
      ['user_factors', 3],
      ['user_bias', 1],
    ]);
    const [first, second, third] = recommended;
    const out = [second.item, 'nothing', second.item, own[0].item];
    const fewer = await recommender.foldIn(own, { k: 2, exclude: out });
    expect(fewer).toEqual({ parameters, recommended: [first, third] });
  });

  test('of nothing is what an unknown user would like', async () => {
    const { recommended } = await recommender.foldIn([]);
    const [expected] = await recommender.recommend(['nobody']);
    expect(recommended.map(({ item }) => item)).toEqual(expected.map(({ item }) => item));
    expect(await recommender.foldIn([{ item: 'nothing', rating: 5 }])).toEqual(await recommender.foldIn([]));
  });

  test('moves ratings towards those given', async () => {
    const [before, up, down] = await Promise.all(
      [[], [5, 5, 5], [1, 1, 1]].map((some) =>
        recommender.foldIn(
          some.map((rating, at) => ({ item: itemIds[at], rating })),
          { k: 30 },
        ),
      ),
    );
    const mean = ({ recommended }: typeof up) => {
      const others = recommended.filter(({ item }) => !itemIds.slice(0, 3).includes(item));
      expect(others).toHaveLength(27);
      return others.reduce((sum, { rating = Number.NaN }) => sum + rating, 0) / others.length;
    };
    expect(mean(up)).toBeGreaterThan(mean(before) + 0.05);
    expect(mean(down)).toBeLessThan(mean(before) - 0.05);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, 6])('refuses the rating %d', async (rating) => {
    expect(await userError(recommender.foldIn([{ item: 'item 1', rating }]))).toBe(
      `the rating of "item 1" is ${rating}; the model was trained on ratings from 1 to 5`,
    );
  });

  test('takes the ends of a scale that binary numbers only come near to', async () => {
    const wide = ratings.ratings.map((rating) => (rating - 1) * 2.45 + 0.1);
    const scale = new Ratings({ ...ratings, ratings: wide });
    const asked = await (await train(scale, { factors: 2, epochs: 1 })).recommender();
    const { low, high } = asked.artifact.manifest.data;
    expect([low, high]).toEqual([Math.fround(0.1), Math.fround(9.9)]);
    await asked.foldIn([
      { item: 'item 1', rating: 0.1 },
      { item: 'item 2', rating: 9.9 },
    ]);
    expect(await userError(asked.foldIn([{ item: 'item 1', rating: 0.09 }]))).toContain('from 0.1 to 9.9');
  });

  test('takes the later of two ratings of an item', async () => {
    const twice = [...own.slice(0, 3).map(({ item }) => ({ item, rating: 5 })), ...own];
    expect(await recommender.foldIn(twice)).toEqual(await recommender.foldIn(own));
  });
});

describe('factors', () => {
  test('are the rows of each item, in the order asked, in as many runs as it takes', async () => {
    const asked = ['item 4', 'nothing', 'item 0', 'item 4', 'item 1'];
    const found = await recommender.factors(asked);
    expect(Object.entries(found).map(([name, { dims }]) => [name, dims])).toEqual([
      ['item_factors', [5, 3]],
      ['item_bias', [5]],
    ]);
    const rows = Array.from({ length: 5 }, (_, at) => found.item_factors.data.slice(3 * at, 3 * at + 3));
    expect(rows[3]).toEqual(rows[0]);
    const all = await recommender.factors(itemIds);
    expect(all.item_factors.data.slice(12, 15)).toEqual(rows[0]);
    expect(all.item_bias.data[4]).toBe(found.item_bias.data[0]);
    const mean = all.item_bias.data.reduce((sum, one) => sum + one, 0) / itemIds.length;
    expect(found.item_bias.data[1]).toBeCloseTo(mean, 6);
    const inPieces = await Recommender.create(changed({ batch: 2 }), node);
    expect(await inPieces.factors(asked)).toEqual(found);
  });

  test('explain what is similar', async () => {
    const { item_factors } = await recommender.factors(itemIds);
    const row = (id: string) => [...item_factors.data.subarray(3 * itemIds.indexOf(id)).subarray(0, 3)];
    const dot = (a: number[], b: number[]) => a.reduce((sum, one, at) => sum + one * b[at], 0);
    const cosine = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    for (const { item, similarity } of (await recommender.similar(['item 2']))[0])
      expect(cosine(row('item 2'), row(item))).toBeCloseTo(similarity, 5);
  });

  test('of no items are none', async () => {
    const none = await recommender.factors([]);
    expect(Object.values(none).map(({ dims, data }) => [dims, data.length])).toEqual([
      [[0, 3], 0],
      [[0], 0],
    ]);
  });
});

describe('what cannot be is refused in one line', () => {
  const bad: [unknown, string][] = [
    [0, '0'],
    [-1, '-1'],
    [2.5, '2.5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['3', '"3"'],
    [2 ** 60, '1152921504606847000'],
    [1e9 + 1, '1000000001'],
    [-0, '0'],
  ];

  test.each(bad)('%o items', async (given, told) => {
    const k = given as number;
    const asked: Promise<unknown>[] = [
      recommender.recommend(['user 1'], { k }),
      recommender.recommend([], { k }),
      recommender.similar(['item 1'], { k }),
      recommender.foldIn([], { k }),
      recommender.foldIn([], { k, exclude: ['item 1', 'item 2'] }),
    ];
    for (const message of await Promise.all(asked.map(userError)))
      expect(message).toBe(`k is ${told}; give a whole number from 1 to 1,000,000,000`);
  });

  test('ids with a NUL character, wherever they stand', async () => {
    const id = 'item 1\0';
    const asked: Promise<unknown>[] = [
      recommender.recommend([id]),
      recommender.recommend(['user 1'], { exclude: ['item 2', id] }),
      recommender.similar(['item 2', id]),
      recommender.foldIn([{ item: id, rating: 3 }]),
      recommender.factors([id]),
    ];
    for (const message of await Promise.all(asked.map(userError)))
      expect(message).toBe('"item 1\\u0000": an id must not contain a NUL character');
  });

  test('ids with half of a surrogate pair, which would become another id', async () => {
    for (const asked of [recommender.predict('\ud800', 'item 1'), recommender.recommend(['a\udc00b'])])
      expect(await userError(asked)).toMatch(/: an id must not contain half of a surrogate pair$/);
    expect(await recommender.predict('\u{1F600}', 'item 1')).toBeGreaterThan(0);
  });

  test.each([10n, Symbol('s'), {}, [], () => 1, true])('%o in place of ids', async (id) => {
    const ids = [id] as unknown as string[];
    const exclude = id as unknown as string[];
    for (const asked of [
      recommender.recommend(ids),
      recommender.similar(ids),
      recommender.foldIn([{ item: id as unknown as string, rating: 3 }]),
      ...(Array.isArray(id) ? [] : [recommender.recommend('user 1', { exclude })]),
    ])
      await expect(asked).rejects.toMatchObject({ name: 'UserError', code: 'argument' });
  });

  test.each([undefined, null, 1])('%o for an id', async (id) => {
    const ids = ['user 1', id as unknown as string];
    const asked: Promise<unknown>[] = [recommender.recommend(ids), recommender.similar(ids)];
    for (const message of await Promise.all(asked.map(userError)))
      expect(message).toBe(
        typeof id === 'number' ? `${id}: ids are strings; give '${id}'` : `${id}: ids are strings`,
      );
  });

  test.each([
    [{ n: 3 }, 'there is no option "n"; the options are k, exclude'],
    [{ K: 3 }, 'there is no option "K"; the options are k, exclude'],
    [3, 'the options are 3; give an object with any of k, exclude'],
    [null, 'the options are null; give an object with any of k, exclude'],
    [['i'], 'the options are ["i"]; give an object with any of k, exclude'],
  ])('%j for options', async (given, message) => {
    const options = given as object;
    expect(await userError(recommender.recommend('user 1', options))).toContain(message);
    expect(await userError(recommender.similar('item 1', options))).toBe(message);
    expect(await userError(recommender.foldIn([], options))).toBe(message);
  });

  test.each([
    [{ 'item 1': 5 }, 'the ratings are {"item 1":5}; give a list of { item, rating }'],
    [undefined, 'the ratings are undefined; give a list of { item, rating }'],
    [[['item 1', 5]], '["item 1",5] is no rating; give { item: \'296\', rating: 5 }, say'],
    [[{ item: 'item 1', rating: '5' }], '{"item":"item 1","rating":"5"} is no rating; give'],
    [[null], 'null is no rating; give'],
    [[{ item: 5, rating: 5 }], "5: ids are strings; give '5'"],
  ])('%j for ratings', async (given, message) => {
    const ratings = given as unknown as { item: string; rating: number }[];
    expect(await userError(recommender.foldIn(ratings))).toContain(message);
  });

  test('anything but a Map of lists by user', async () => {
    for (const lists of [{ 'user 1': ['item 1'] }, [], null, 'item 1'] as unknown as ReadonlyMap<
      string,
      string[]
    >[])
      expect(await userError(recommender.recommend('user 1', { excludeByUser: lists }))).toBe(
        'excludeByUser is not a Map of a list for each user; readExclusions makes one',
      );
    const text = new Map([['user 1', 'item 1' as unknown as string[]]]);
    expect(await userError(recommender.recommend('user 1', { excludeByUser: text }))).toBe(
      '"item 1" is not a list of ids',
    );
  });

  test('an id, or lists of ids, where a list of items to exclude is wanted', async () => {
    const id = 'item 2' as unknown as string[];
    const lists = [['item 2'], []] as unknown as string[];
    for (const ask of [
      (exclude: string[]) => recommender.recommend('user 1', { exclude }),
      (exclude: string[]) => recommender.similar('item 1', { exclude }),
      (exclude: string[]) => recommender.foldIn([], { exclude }),
    ]) {
      expect(await userError(ask(id))).toBe('"item 2" is not a list of ids');
      expect(await userError(ask(lists))).toBe('["item 2"]: ids are strings');
    }
  });

  test('ids that a file would take for padding, when ratings are made of them', () => {
    const named = (ids: string[]) => () => new Ratings({ ...ratings, itemIds: ids });
    expect(named(['', ...itemIds.slice(1)])).toThrow(
      new UserError(
        'data',
        'the ratings: item id 1 is ""; give a text of at least one character, without NUL',
      ),
    );
    expect(named([...itemIds.slice(1), 'a\0b'])).toThrow('item id 30 is "a\\u0000b"');
    expect(named(['item 1', ...itemIds.slice(1)])).toThrow(
      new UserError('data', 'the ratings: two of the item ids are the same'),
    );
  });

  test('a precision that there is not', async () => {
    const model = await train(ratings, { factors: 2, epochs: 1 });
    const precision = 'int4' as 'int8';
    expect(await userError(model.artifact({ precision }))).toBe(
      'precision is "int4"; give one of float32, float16, int8',
    );
  });

  test('a head that the artifact lacks', async () => {
    const without = ['recommend', 'similar', 'fold-in', 'factors', 'seen'].map((head) => `${head}.onnx`);
    const old = await Recommender.create(changed({ without }), node);
    expect(old.heads).toEqual(['predict']);
    expect(await old.predict(['user 1'], ['item 1'])).toEqual(
      await recommender.predict(['user 1'], ['item 1']),
    );
    const messages = await Promise.all(
      [old.recommend(['user 1']), old.similar(['item 1']), old.foldIn([]), old.factors(['item 1'])].map(
        userError,
      ),
    );
    for (const [at, head] of ['recommend', 'similar', 'fold-in', 'factors'].entries())
      expect(messages[at]).toContain(`has no ${head}.onnx`);
  });
});

test('titles are those of the items that the model knows', async () => {
  expect([...recommender.titles]).toEqual([
    ['item 0', '"Quoted", 📽️'],
    ['item 3', 'Köln 75'],
  ]);
  const odd = ['__proto__', '10', '2', 'constructor'];
  const few = new Ratings({ ...ratings, itemIds: [...odd, ...itemIds.slice(4)] });
  const model = await train(few, { factors: 2, epochs: 1 });
  const named = await model.recommender({ titles: new Map(odd.map((id) => [id, `T ${id}`])) });
  expect(named.titles).toEqual(new Map(odd.map((id) => [id, `T ${id}`])));
  expect((await Recommender.create(changed({ without: ['titles.json'] }), node)).titles.size).toBe(0);
});

describe('items', () => {
  const genres = new Map([
    ['item 1', ['Drama', 'War']],
    ['item 999', ['Comedy']],
  ]);

  /** What a person would count. */
  const counted = ({ itemIds, items, ratings }: Ratings) =>
    itemIds.map((item, row) => {
      const own = [...ratings].filter((_, index) => items[index] === row);
      const mean = own.reduce((sum, one) => sum + one, 0) / own.length;
      return { item, count: own.length, average: Number(mean.toFixed(3)) };
    });

  test('have their numbers of ratings and averages, without genres where none are known', async () => {
    expect(recommender.items).toEqual(counted(ratings));
    expect((await Recommender.create(changed({ without: ['items.json'] }), node)).items).toEqual([]);
  });

  test('have genres, and count nothing that is held out', async () => {
    const split = randomSplit(ratings, 0.4, 2);
    const model = await train(split.train, { factors: 2, epochs: 1 }, { valid: split.valid });
    const { items } = await model.recommender({ genres });
    expect(items).toEqual(
      counted(split.train).map((one) => ({ ...one, genres: genres.get(one.item) ?? [] })),
    );
    expect(items.reduce((sum, one) => sum + one.count, 0)).toBe(split.train.ratings.length);
  });

  test('of which none is rated have the average of all', async () => {
    const more = new Ratings({ ...ratings, itemIds: [...itemIds, 'unrated'] });
    const { items } = await (await train(more, { factors: 2, epochs: 1 })).recommender();
    const mean = ratings.ratings.reduce((sum, one) => sum + one, 0) / ratings.ratings.length;
    expect(items.at(-1)).toEqual({ item: 'unrated', count: 0, average: Number(mean.toFixed(3)) });
  });
});

describe('sessions', () => {
  /** A runtime that counts what it opens and releases. */
  function counting() {
    const seen = { opened: 0, released: 0 };
    const runtime: Runtime = {
      ...node,
      async createSession(...asked) {
        seen.opened++;
        const session = await node.createSession(...asked);
        const release = session.release.bind(session);
        session.release = async () => {
          seen.released++;
          await release();
        };
        return session;
      },
    };
    return { seen, runtime };
  }

  test('are opened once each, when they are first needed or at once', async () => {
    const { seen, runtime } = counting();
    const lazy = await Recommender.create(artifact, runtime);
    expect(seen.opened).toBe(0);
    await Promise.all(Array.from({ length: 5 }, () => lazy.similar(['item 1'])));
    expect(seen.opened).toBe(1);
    await lazy.recommend(['user 1']);
    expect(seen.opened).toBe(3);
    await Recommender.create(artifact, runtime, ['predict', 'fold-in']);
    expect(seen.opened).toBe(5);
  });

  test('are released once questions that run are answered', async () => {
    const { runtime } = counting();
    const one = await Recommender.create(artifact, runtime);
    const before = await one.recommend(users);
    const asked = Array.from({ length: 20 }, () => one.recommend(users));
    await one.release();
    for (const found of await Promise.all(asked)) expect(found).toEqual(before);
  });

  test('are released, and opened anew for who asks again', async () => {
    const { seen, runtime } = counting();
    const one = await Recommender.create(artifact, runtime);
    const before = await one.similar(['item 1']);
    const releasing = one.release();
    const asked = one.similar(['item 1']);
    await releasing;
    expect(seen).toEqual({ opened: 2, released: 1 });
    expect(await asked).toEqual(before);
    await one.release();
    await one.release();
    expect(seen).toEqual({ opened: 2, released: 2 });
    const broken = { ...artifact, files: { ...artifact.files, 'similar.onnx': new Uint8Array([1, 2, 3]) } };
    const other = await Recommender.create(broken, runtime);
    expect(await userError(other.similar(['item 1']))).toContain('similar.onnx: onnxruntime-node refuses it');
    await other.release();
    expect(seen).toEqual({ opened: 3, released: 2 });
  });

  test('answer many at once as one after the other', async () => {
    const ask = (at: number): Promise<unknown> =>
      [
        () => recommender.recommend(users.slice(at % 9), { k: (at % 7) + 1 }),
        () => recommender.similar([itemIds[at % 30]], { k: 3 }),
        () => recommender.foldIn([{ item: itemIds[at % 30], rating: (at % 5) + 1 }]),
        () =>
          recommender.predict(
            users,
            users.map(() => itemIds[at % 30]),
          ),
      ][at % 4]();
    const turns = Array.from({ length: 40 }, (_, at) => at);
    const together = await Promise.all(turns.map(ask));
    for (const at of turns) expect(together[at]).toEqual(await ask(at));
  });
});

test.each<[string, Recipe]>([
  ['dot-bias', { factors: 3 }],
  ['mlp', { model: 'mlp', factors: 4, hidden: [6, 5] }],
])('%s answers in WebAssembly as in Node', async (_, recipe) => {
  const inWasm: Runtime = {
    name: 'onnxruntime-web',
    version: web.env.versions.common,
    createSession: (model) => web.InferenceSession.create(model),
  };
  const files = await (await train(ratings, { ...recipe, epochs: 2 })).artifact({ seen: true });
  const [here, there] = await Promise.all([node, inWasm].map((one) => Recommender.create(files, one)));
  const own = ratedBy('user 7').map((item, at) => ({ item, rating: 1 + (at % 5) }));
  const answers = async (one: Recommender) => ({
    predict: [
      ...(await one.predict(
        users,
        users.map((_, at) => itemIds[at]),
      )),
    ],
    recommend: await one.recommend(users, { k: 6, excludeByUser }),
    similar: await one.similar(['item 3', 'nothing'], { k: 6 }),
    // Not the rows: after two epochs a ranking hardly depends on the users, and rounding decides.
    foldIn: (await one.foldIn(own)).recommended,
    foldInSeveral: (await one.foldIn([own, [], own.slice(3)])).map(({ recommended }) => recommended),
    none: [await one.recommend([]), await one.similar([]), (await one.foldIn([])).recommended],
  });
  const leaves = (all: unknown): unknown[] =>
    typeof all === 'object' && all !== null ? Object.entries(all).flat().flatMap(leaves) : [all];
  const [expected, found] = (await Promise.all([here, there].map(answers))).map(leaves);
  expect(found).toHaveLength(expected.length);
  for (const [at, one] of expected.entries())
    if (typeof one === 'number') expect(Math.abs(one - Number(found[at]))).toBeLessThan(1e-4);
    else expect(found[at]).toBe(one);
});

test('a model without factors of items or users answers what it can', async () => {
  const alone = await train(ratings, { model: itemsAlone, objective: 'rating' });
  const one = await alone.recommender({ seen: false });
  expect(one.heads).toEqual(['predict', 'recommend', 'fold-in', 'factors']);
  const [first, second] = await one.recommend(['user 1', 'nobody'], { k: 5 });
  expect(first).toEqual(second);
  const { parameters, recommended } = await one.foldIn([{ item: first[0].item, rating: 1 }], { k: 4 });
  expect(parameters).toEqual({});
  expect(recommended).toEqual(first.slice(1));
});
