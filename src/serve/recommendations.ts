import type { FastifyInstance } from 'fastify';
import { decimal, listed } from '../recommend/listed.ts';
import type { ItemRating } from '../recommend/recommender.ts';
import { badRequest, HttpError } from './errors.ts';
import { textProblem } from './json.ts';
import { LIMITS } from './limits.ts';
import type { OpenModel } from './models.ts';
import type { ServerState } from './protocol.ts';

interface Query {
  readonly model?: string;
  readonly k: number;
  readonly includeSeen?: boolean;
}

/** Asks the model that a query names, the first unless it names one, if it has a head. */
type Ask = <T>(query: Query, head: string, question: (model: OpenModel) => Promise<T>) => Promise<T>;

const tags = ['Recommendations'];

/** The endpoints for people, and for programs that want no tensors. */
export function addRecommendations(app: FastifyInstance, { models }: ServerState): void {
  const ask: Ask = ({ model: name }, head, question) => {
    const served = name === undefined ? models[0] : models.find((model) => model.name === name);
    if (!served)
      throw new HttpError(404, `there is no model of that name; there is ${models.map(({ name }) => name)}`);
    return served.ask((model) => {
      if (model.sessions.has(head)) return question(model);
      throw new HttpError(404, `${model.name} has no ${head}.onnx; train it again`);
    });
  };
  for (const add of [addRecommend, addSimilar, addFoldIn, addPredict]) add(app, ask);
}

function addRecommend(app: FastifyInstance, ask: Ask): void {
  app.get<{ Params: { user: string }; Querystring: Query }>(
    '/recommend/:user',
    {
      schema: {
        tags,
        summary: 'What a user would rate highest, of what they have not rated yet',
        params: { type: 'object', properties: { user: { type: 'string' } } },
        querystring: query({
          k,
          model,
          includeSeen: { type: 'boolean', description: 'Also what they have rated' },
        }),
        response: { 200: object({ user: id, known: { type: 'boolean' }, items: list(item('rating')) }) },
      },
    },
    ({ params: { user }, query }) => {
      checkId(user);
      const { k, includeSeen } = query;
      return ask(query, 'recommend', async ({ recommender, users }) => {
        const [best] = await recommender.recommend([user], { k, includeSeen });
        const items = listed(recommender.titles, best, 'rating');
        return { user, known: users.has(user), items };
      });
    },
  );
}

function addSimilar(app: FastifyInstance, ask: Ask): void {
  app.get<{ Params: { item: string }; Querystring: Query }>(
    '/similar/:item',
    {
      schema: {
        tags,
        summary: 'The items most like one',
        params: { type: 'object', properties: { item: { type: 'string' } } },
        querystring: query({ k, model }),
        response: {
          200: object({ item: id, title: id, items: list(item('similarity')) }, ['item', 'items']),
        },
      },
    },
    ({ params: { item }, query }) => {
      checkId(item);
      return ask(query, 'similar', async ({ recommender, items }) => {
        if (!items.has(item)) throw new HttpError(404, `the model knows no item ${JSON.stringify(item)}`);
        const [nearest] = await recommender.similar([item], { k: query.k });
        const { titles } = recommender;
        return { item, title: titles.get(item), items: listed(titles, nearest, 'similarity') };
      });
    },
  );
}

function addFoldIn(app: FastifyInstance, ask: Ask): void {
  app.post<{ Querystring: Query; Body: { ratings: ItemRating[]; k?: number; exclude?: string[] } }>(
    '/recommend',
    {
      schema: {
        tags,
        summary: 'What somebody would rate highest whom the model has never seen, from some of their ratings',
        querystring: query({ model }),
        body: object(
          {
            ratings: {
              ...list(object({ item: id, rating: { type: 'number' } })),
              maxItems: LIMITS.ratings,
            },
            k,
            exclude: list(id),
          },
          ['ratings'],
        ),
        response: {
          200: object({
            items: list(item('rating')),
            unknown: { ...list(id), description: 'The rated items that the model does not know' },
          }),
        },
      },
    },
    ({ query, body: { ratings, k, exclude } }) =>
      ask(query, 'fold-in', async ({ recommender, items }) => {
        const { recommended } = await recommender.foldIn(ratings, { k, exclude });
        const unknown = new Set(ratings.map(({ item }) => item).filter((item) => !items.has(item)));
        return { items: listed(recommender.titles, recommended, 'rating'), unknown: [...unknown] };
      }),
  );
}

function addPredict(app: FastifyInstance, ask: Ask): void {
  app.post<{ Querystring: Query; Body: { pairs: { user: string; item: string }[] } }>(
    '/predict',
    {
      schema: {
        tags,
        summary: 'What users would rate items: one number for each pair',
        querystring: query({ model }),
        body: object({ pairs: list(object({ user: id, item: id })) }),
        response: { 200: object({ ratings: list({ type: 'number' }) }) },
      },
    },
    ({ query, body: { pairs } }) =>
      ask(query, 'predict', async ({ recommender }) => {
        const ratings = await recommender.predict(
          pairs.map(({ user }) => user),
          pairs.map(({ item }) => item),
        );
        return { ratings: Array.from(ratings, decimal) };
      }),
  );
}

type Schema = Readonly<Record<string, unknown>>;

const id = { type: 'string' };
const model = { type: 'string', description: 'A folder that is served; the first when absent' };
const k = { type: 'integer', minimum: 1, maximum: LIMITS.k, default: 10, description: 'How many items' };
const list = (items: Schema): Schema => ({ type: 'array', items });

/** @param required all, unless told otherwise */
const object = (
  properties: Readonly<Record<string, Schema>>,
  required = Object.keys(properties),
): Schema => ({ type: 'object', properties, required, additionalProperties: false });

const query = (properties: Readonly<Record<string, Schema>>): Schema => object(properties, []);

const item = (number: string): Schema =>
  object({ item: id, title: id, [number]: { type: 'number' } }, ['item', number]);

function checkId(text: string): void {
  const problem = textProblem(text);
  if (problem) throw badRequest(problem);
}
