import { describe, expect, test } from 'vitest';
import { served, titles } from '../support/served.ts';

const movies = served();
const { get, post } = movies;

/** As the server writes floats: with the digits that they have. */
const short = (float: number) => Number(float.toPrecision(7));

const titled = (item: string) => (titles.has(item) ? { title: titles.get(item) } : {});

describe('GET /recommend', () => {
  test('gives the best items that the user has not rated', async () => {
    const [expected] = await movies.recommender.recommend(['u3'], { k: 4 });
    const items = expected.map(({ item, rating = Number.NaN }) => ({
      item,
      ...titled(item),
      rating: short(rating),
    }));
    expect(await get('/recommend/u3?k=4')).toMatchObject({
      status: 200,
      body: { user: 'u3', known: true, items },
    });
  });

  test('gives those rated too when asked', async () => {
    const { body } = await get('/recommend/u3?k=20&includeSeen=true');
    expect(body.items).toHaveLength(20);
    expect(body.items.some(({ title }: { title?: string }) => title === 'Zwei & "quoted"')).toBe(true);
    expect((await get('/recommend/u3?k=20')).body.items).toHaveLength(8);
  });

  test('gives an unknown user what the average user likes', async () => {
    const { body } = await get('/recommend/somebody');
    expect(body).toMatchObject({ user: 'somebody', known: false });
    expect(body.items).toHaveLength(10);
  });

  test.each(['a/b', '..', '%', 'Zoë 👩‍🚀', 'a?b', ' ', 'x'.repeat(5000)])('takes the id %j', async (user) => {
    expect(await get(`/recommend/${encodeURIComponent(user)}x`)).toMatchObject({
      status: 200,
      body: { user: `${user}x` },
    });
  });

  test.each([
    ['/recommend/u3?k=0', /k must be at least 1/],
    ['/recommend/u3?k=1001', /k must be at most 1000/],
    ['/recommend/u3?k=two', /k must be a whole number/],
    ['/recommend/u3?k=1&k=2', /k must be a whole number/],
    ['/recommend/u3?count=1', /the query must not have count/],
    ['/recommend/a%00b', /NUL/],
    ['/recommend/%ED%A0%80', /url/],
    ['/recommend/%', /url/],
  ])('refuses %s', async (path, message) => {
    expect(await get(path)).toMatchObject({ status: 400, body: { error: expect.stringMatching(message) } });
  });
});

describe('GET /similar', () => {
  test('gives the nearest items', async () => {
    const [expected] = await movies.recommender.similar(['i2'], { k: 3 });
    const items = expected.map(({ item, similarity }) => ({
      item,
      ...titled(item),
      similarity: short(similarity),
    }));
    const { status, body } = await get('/similar/i2?k=3');
    expect({ status, body }).toEqual({ status: 200, body: { item: 'i2', title: 'Zwei & "quoted"', items } });
    expect((await get('/similar/i3')).body).not.toHaveProperty('title');
  });

  test('of an unknown item is nothing', async () => {
    const { status, body } = await get('/similar/nothing');
    expect({ status, body }).toEqual({
      status: 404,
      body: { error: 'the model does not know the item "nothing"' },
    });
  });
});

describe('POST /recommend', () => {
  const ratings = [
    { item: 'i1', rating: 5 },
    { item: 'i2', rating: 1.5 },
  ];

  test('gives a new person the best of what they have not rated', async () => {
    const { recommended } = await movies.recommender.foldIn(ratings, { k: 3, exclude: ['i5'] });
    const items = recommended.map(({ item, rating = Number.NaN }) => ({
      item,
      ...titled(item),
      rating: short(rating),
    }));
    const body = { ratings: [...ratings, { item: 'nothing', rating: 3 }], k: 3, exclude: ['i5'] };
    expect(await post('/recommend', body)).toMatchObject({
      status: 200,
      body: { items, unknown: ['nothing'] },
    });
  });

  test('takes no ratings', async () => {
    const { status, body } = await post('/recommend', { ratings: [] });
    expect(status).toBe(200);
    expect(body.items).toHaveLength(10);
  });

  test.each<[unknown, RegExp]>([
    [{}, /^the model was trained on ratings; send the person’s, .*, and no items$/],
    [{ items: ['i1'] }, /the model was trained on ratings/],
    [[], /the body must be a JSON object/],
    [null, /the body must be a JSON object/],
    ['{', /not JSON/],
    ['', /the body must be a JSON object/],
    [{ ratings: [{ item: 1, rating: 5 }] }, /ratings\.0\.item must be a text/],
    [{ ratings: [{ item: 'i1', rating: '5' }] }, /ratings\.0\.rating must be a number/],
    [{ ratings: [{ item: 'i1' }] }, /rating/],
    ['{"ratings": [{"item": "i1", "rating": 1e999}]}', /2\^53/],
    [{ ratings: [{ item: 'i1', rating: 5, time: 3 }] }, /ratings\.0 must not have time/],
    [{ ratings, k: 1001 }, /k must be at most 1000/],
    [{ ratings, k: '3' }, /k must be a whole number/],
    [{ ratings: [{ item: 'a\0', rating: 5 }] }, /NUL/],
    [{ ratings: [{ item: '\udc00', rating: 5 }] }, /surrogate/],
    [{ ratings: Array(3001).fill({ item: 'i1', rating: 5 }) }, /ratings must have at most 3000 entries/],
  ])('refuses %j', async (body, message) => {
    expect(await post('/recommend', body as object)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(message) },
    });
  });
});

describe('POST /predict', () => {
  test('gives one number for each pair', async () => {
    const pairs = [
      { user: 'u1', item: 'i1' },
      { user: 'u2', item: 'nothing' },
    ];
    const expected = await movies.recommender.predict(['u1', 'u2'], ['i1', 'nothing']);
    expect(await post('/predict', { pairs })).toMatchObject({
      status: 200,
      body: { ratings: Array.from(expected, short) },
    });
    expect((await post('/predict', { pairs: [] })).body).toEqual({ ratings: [] });
  });
});

test('?model= names the model', async () => {
  const named = await get('/recommend/u1?model=movies');
  expect(named.body).toEqual((await get('/recommend/u1')).body);
  expect(await get('/recommend/u1?model=books')).toMatchObject({
    status: 404,
    body: { error: 'there is no model with that name; the models are movies' },
  });
});

describe('what the server tells of itself', () => {
  test('OpenAPI describes each path', async () => {
    const { body } = await get('/openapi.json');
    expect(body).toMatchObject({ openapi: expect.stringMatching(/^3\./), info: { title: 'cofactor' } });
    const paths = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path}`),
    );
    expect(paths.sort()).toEqual(
      [
        'get /v2',
        'get /v2/health/live',
        'get /v2/health/ready',
        'get /v2/models/{model}',
        'get /v2/models/{model}/ready',
        'post /v2/models/{model}/infer',
        'get /v2/models/{model}/versions/{version}',
        'get /v2/models/{model}/versions/{version}/ready',
        'post /v2/models/{model}/versions/{version}/infer',
        'post /v2/repository/index',
        'get /recommend/{user}',
        'post /recommend',
        'get /similar/{item}',
        'get /status',
        'post /predict',
        'get /metrics',
        'get /openapi.json',
      ].sort(),
    );
  });

  test('Prometheus reads numbers, and no ids', async () => {
    await get('/recommend/secret-user');
    const text = await (await fetch(`${movies.url}/metrics`)).text();
    for (const name of [
      'cofactor_request_seconds_count{method="GET",route="/recommend/:user",status="200"}',
      'cofactor_batch_runs_count',
      'cofactor_queue_length 0',
      'nodejs_eventloop_lag_p99_seconds',
      'process_resident_memory_bytes',
    ])
      expect(text).toContain(name);
    expect(text).not.toContain('secret-user');
  });
});
