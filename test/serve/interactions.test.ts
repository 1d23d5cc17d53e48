import { describe, expect, test } from 'vitest';
import { interactionsCsv, served } from '../support/served.ts';

const shop = served({ csv: interactionsCsv() });
const together = served({
  csv: interactionsCsv(),
  recipe: { model: 'item-item', factors: undefined, epochs: undefined },
});
const { get, post } = shop;

/** As the server writes floats: with the digits that they have. */
const short = (float: number) => Number(float.toPrecision(7));

describe('a model of interactions', () => {
  test('recommends to a user what they do not have', async () => {
    const { body } = await get('/recommend/u3?k=20');
    const best = await shop.recommender.recommend('u3', { k: 20 });
    expect(body.items.map(({ item }: { item: string }) => item)).toEqual(best.map(({ item }) => item));
    expect(body.items).toHaveLength(8);
    expect(body.items[0]).not.toHaveProperty('rating');
    expect((await get('/recommend/u3?k=20&includeSeen=true')).body.items).toHaveLength(20);
  });

  test('recommends to a new person from what they have', async () => {
    const { recommended } = await shop.recommender.foldIn(['i1', 'i2'], { k: 3, exclude: ['i5'] });
    const expected = recommended.map(({ item, score }) => ({ item, score: short(score) }));
    const body = { items: ['i1', 'i2', 'nothing'], k: 3, exclude: ['i5'] };
    expect(await post('/recommend', body)).toMatchObject({
      status: 200,
      body: { items: expected, unknown: ['nothing'] },
    });
    expect((await post('/recommend', { items: [] })).body.items).toHaveLength(10);
  });

  test.each<[unknown, RegExp]>([
    [
      { ratings: [{ item: 'i1', rating: 5 }] },
      /^the model was trained on interactions; send items that the person has/,
    ],
    [{ items: ['i1'], ratings: [] }, /, and no ratings$/],
    [{}, /send items/],
    [{ items: [1] }, /items\.0 must be a text/],
    [{ items: [{ item: 'i1' }] }, /items\.0 must be a text/],
    [{ items: 'i1' }, /items must be a list/],
    [{ items: ['a\0'] }, /NUL/],
    [{ items: Array(3001).fill('i1') }, /items must have at most 3000 entries/],
  ])('refuses %j', async (body, message) => {
    expect(await post('/recommend', body as object)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(message) },
    });
  });

  test('scores pairs', async () => {
    const { body } = await post('/predict', { pairs: [{ user: 'u1', item: 'i1' }] });
    expect(body).toEqual({ scores: [short(await shop.recommender.score('u1', 'i1'))] });
  });

  test('folds in by the protocol, without ratings: one person, or several', async () => {
    const { inputs } = (await get('/v2/models/movies.fold-in')).body;
    expect(inputs.map(({ name }: { name: string }) => name)).toEqual(['item', 'k']);
    const item = (shape: number[], data: string[]) => ({ name: 'item', datatype: 'BYTES', shape, data });
    const asked = async (head: string, ...given: object[]) => {
      const { status, body } = await post(`/v2/models/movies.${head}/infer`, { inputs: given });
      expect({ head, status, error: body.error }).toEqual({ head, status: 200, error: undefined });
      return body.outputs.find(({ name }: { name: string }) => name === 'top_item').data;
    };
    const [one, other] = [
      await asked('fold-in', item([2], ['i1', 'i2'])),
      await asked('fold-in', item([1], ['i7'])),
    ];
    expect(await asked('fold-in-many', item([2, 2], ['i1', 'i2', 'i7', '']))).toEqual([...one, ...other]);
    expect(
      await post('/v2/models/movies.fold-in-many/infer', {
        inputs: [item([2, 1501], Array(3002).fill('i1'))],
      }),
    ).toMatchObject({
      status: 400,
      body: { error: '3002 items; fold-in-many accepts up to 3000' },
    });
    const rating = { name: 'rating', datatype: 'FP32', shape: [1], data: [5] };
    expect(
      await post('/v2/models/movies.fold-in/infer', { inputs: [item([1], ['i7']), rating] }),
    ).toMatchObject({
      status: 400,
      body: { error: 'input "rating": the model takes item, k' },
    });
  });
});

describe('a model of weights between items', () => {
  const { get, post } = together;

  test('recommends, and says what goes together with an item', async () => {
    const { recommender } = together;
    const best = await recommender.recommend('u3', { k: 5 });
    const { body } = await get('/recommend/u3?k=5');
    expect(body).toMatchObject({ user: 'u3', known: true });
    expect(body.items.map(({ item }: { item: string }) => item)).toEqual(best.map(({ item }) => item));
    const { recommended } = await recommender.foldIn(['i1', 'i2'], { k: 3 });
    expect((await post('/recommend', { items: ['i1', 'i2'], k: 3 })).body.items).toMatchObject(
      recommended.map(({ item, score }) => ({ item, score: short(score) })),
    );
    const similar = await recommender.similar('i1', { k: 3 });
    expect((await get('/similar/i1?k=3')).body.items).toMatchObject(
      similar.map(({ item, similarity }) => ({ item, similarity: short(similarity) })),
    );
    expect((await get('/recommend/nobody')).body).toMatchObject({ known: false });
  });

  test('serves all of its heads, and has no factors', async () => {
    const { body } = await post('/v2/repository/index', {});
    expect(body.map(({ name }: { name: string }) => name).sort()).toEqual(
      ['fold-in', 'fold-in-many', 'predict', 'recommend', 'similar'].map((head) => `movies.${head}`),
    );
    const inputs = [
      { name: 'item', datatype: 'BYTES', shape: [2], data: ['i1', 'nothing'] },
      { name: 'k', datatype: 'INT64', shape: [1], data: [2] },
    ];
    const { status, body: answer } = await post('/v2/models/movies.similar/infer', { inputs });
    expect(status).toBe(200);
    const [similar, similarity] = ['similar', 'similarity'].map(
      (name) => answer.outputs.find((output: { name: string }) => output.name === name).data,
    );
    const nearest = await together.recommender.similar('i1', { k: 2 });
    expect(similar).toEqual([...nearest.map(({ item }) => item), '', '']);
    expect(similarity.slice(2)).toEqual([0, 0]);
    expect((await get('/v2/models/movies.factors')).status).toBe(404);
  });

  test('tells nobody who has what', async () => {
    const { body } = await get('/model/manifest.json');
    expect(Object.keys(body.files).sort()).toEqual([
      'fold-in.onnx',
      'items.json',
      'similar.onnx',
      'titles.json',
    ]);
    for (const name of ['predict', 'recommend', 'fold-in-many', 'seen'])
      expect((await get(`/model/${name}.onnx`)).status).toBe(404);
  });
});
