import type { FastifyInstance } from 'fastify';
import { decimal, listed } from '../recommend/listed.ts';
import type { ItemRating, Own, Recommender } from '../recommend/recommender.ts';
import type { Allowance } from './allowance.ts';
import { badRequest, HttpError } from './errors.ts';
import { textProblem } from './json.ts';
import { isLongFoldIn, type Lanes } from './lanes.ts';
import { LIMITS } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { modelNamed, type ServedModel } from './models.ts';
import type { OpenModel } from './open-model.ts';
import { list, model, object, paramsOf, type Schema, text } from './schemas.ts';

interface Query {
  readonly model?: string;
  readonly k: number;
  readonly includeSeen?: boolean;
}

interface Request<Params, Body> {
  readonly allowance: Allowance;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

interface Listed {
  readonly items: readonly { readonly item: string }[];
}

interface Endpoint<Params, Body> {
  readonly at: `GET ${string}` | `POST ${string}`;
  readonly head: string;
  /** Whether its list is one of recommendations, which are counted. */
  readonly recommends?: true;
  readonly summary: string;
  readonly query?: Readonly<Record<string, Schema>>;
  readonly body?: Schema;
  readonly response: Schema;
  answer(model: OpenModel, request: Request<Params, Body>): Promise<object>;
}

const k = { type: 'integer', minimum: 1, maximum: LIMITS.k, default: 10, description: 'Number of items' };
const number = { type: 'number' };
const item = (...names: string[]): Schema =>
  object({ item: text, title: text, ...Object.fromEntries(names.map((name) => [name, number])) }, [
    'item',
    names[0],
  ]);
/** `rating` is there if the model predicts ratings. */
const recommended = item('score', 'rating');

const recommend: Endpoint<{ user: string }, undefined> = {
  at: 'GET /recommend/:user',
  head: 'recommend',
  recommends: true,
  summary: 'Recommendations for a user, without items that the user rated or has',
  query: {
    k,
    model,
    includeSeen: { type: 'boolean', description: 'Also recommends items that they rated or have' },
  },
  response: object({ user: text, known: { type: 'boolean' }, items: list(recommended) }),
  async answer({ recommender, users }, { params: { user }, query: { k, includeSeen } }) {
    const best = await recommender.recommend(user, { k, includeSeen });
    return { user, known: users.has(user), items: finite(listed(recommender.titles, best)) };
  },
};

const similar: Endpoint<{ item: string }, undefined> = {
  at: 'GET /similar/:item',
  head: 'similar',
  summary: 'The items most similar to an item',
  query: { k, model },
  response: object({ item: text, title: text, items: list(item('similarity')) }, ['item', 'items']),
  async answer({ recommender, items }, { params: { item }, query: { k } }) {
    if (!items.has(item))
      throw new HttpError(404, `the model does not know the item ${JSON.stringify(item)}`);
    const nearest = await recommender.similar(item, { k });
    const { titles } = recommender;
    return { item, title: titles.get(item), items: finite(listed(titles, nearest)) };
  },
};

interface Person {
  readonly ratings?: readonly ItemRating[];
  readonly items?: readonly string[];
  readonly k?: number;
  readonly exclude?: readonly string[];
}

const foldIn: Endpoint<unknown, Person> = {
  at: 'POST /recommend',
  head: 'fold-in',
  recommends: true,
  summary:
    'Recommendations for a person who is not in the training data, from some of their ratings; of a model of interactions, from items that they have',
  body: object(
    {
      ratings: {
        ...list(object({ item: text, rating: number })),
        maxItems: LIMITS.ratings,
        description: 'For a model of ratings',
      },
      items: {
        ...list(text),
        maxItems: LIMITS.ratings,
        description: 'Ids of items that the person has, for a model of interactions',
      },
      k,
      exclude: list(text),
    },
    [],
  ),
  response: object({
    items: list(recommended),
    unknown: { ...list(text), description: 'Items of the request that the model does not know' },
  }),
  async answer({ recommender, items }, { body: { k, exclude, ...person } }) {
    const own = ownOf(person, recommender.kind);
    const folded = await recommender.foldIn(own, { k, exclude });
    const ids = own.map((one) => (typeof one === 'string' ? one : one.item));
    const unknown = new Set(ids.filter((item) => !items.has(item)));
    return { items: finite(listed(recommender.titles, folded.recommended)), unknown: [...unknown] };
  },
};

/** @throws HttpError 400 for what a model of this kind does not take */
function ownOf({ ratings, items }: Person, kind: Recommender['kind']): Own {
  const [own, other] = kind === 'ratings' ? [ratings, items] : [items, ratings];
  if (own && !other) return own;
  throw badRequest(
    kind === 'ratings'
      ? 'the model was trained on ratings; send the person’s, {"ratings": [{"item": "ID", "rating": 5}]}, and no items'
      : 'the model was trained on interactions; send items that the person has, {"items": ["ID"]}, and no ratings',
  );
}

const predict: Endpoint<unknown, { pairs: { user: string; item: string }[] }> = {
  at: 'POST /predict',
  head: 'predict',
  summary:
    'Predicted ratings, one number for each pair of a user and an item; of a model that ranks alone, scores',
  body: object({ pairs: list(object({ user: text, item: text })) }),
  response: object({ ratings: list(number), scores: list(number) }, []),
  async answer({ recommender }, { body: { pairs } }) {
    const [users, items] = [pairs.map(({ user }) => user), pairs.map(({ item }) => item)];
    if (recommender.objective === 'ranking')
      return { scores: numbers(await recommender.score(users, items)) };
    return { ratings: numbers(await recommender.predict(users, items)) };
  },
};

/** Adds the JSON endpoints, which take and return ids instead of tensors. */
export function addRecommendations(
  app: FastifyInstance,
  models: readonly ServedModel[],
  lanes: Lanes,
  metrics: Metrics,
): void {
  add(recommend);
  add(similar);
  add(foldIn);
  add(predict);

  function add<Params, Body>({
    at,
    head,
    recommends,
    summary,
    query = { model },
    body,
    response,
    answer,
  }: Endpoint<Params, Body>) {
    const [method, url] = at.split(' ');
    const schema = {
      tags: ['Recommendations'],
      summary,
      querystring: object(query, []),
      response: { 200: response },
      ...(url.includes(':') && { params: paramsOf(url) }),
      ...(body && { body }),
    };
    const handler = async (request: unknown) => {
      const asked = request as Request<Params, Body>;
      for (const id of Object.values<string>(asked.params ?? {})) checkId(id);
      return asked.allowance.run(() =>
        ask(asked.query.model, head, (model) => {
          asked.allowance.add(answerBytes(model, asked));
          const run = async () => {
            asked.allowance.throwIfAborted();
            const recommender = model.recommender.until(asked.allowance);
            const answered = await answer({ ...model, recommender }, asked);
            if (recommends) metrics.onList(model.name, (answered as Listed).items);
            return answered;
          };
          return isLong(asked.body) ? lanes.run(run) : run();
        }),
      );
    };
    app.route({ method, url, schema, handler });
  }

  /** Runs a request on the model with a name, or on the first, if it has the head. */
  function ask<T>(
    name: string | undefined,
    head: string,
    question: (model: OpenModel) => Promise<T>,
  ): Promise<T> {
    return modelNamed(models, name).ask((model) => {
      if (model.sessions.has(head)) return question(model);
      throw new HttpError(404, `${model.name} has no ${head}.onnx; train it again`);
    });
  }
}

/** Rounded. @throws HttpError 503 if one is no number */
function numbers(all: Float32Array): number[] {
  if (all.every(Number.isFinite)) return Array.from(all, decimal);
  throw noNumbers();
}

const noNumbers = () => new HttpError(503, 'the model gives scores that are no numbers; train it again');

interface Numbers {
  readonly score?: number;
  readonly rating?: number;
  readonly similarity?: number;
}

/** A list whose numbers JSON can have. @throws HttpError 503 if one is no number */
function finite<T extends Numbers>(list: T[]): T[] {
  const isGood = ({ score = 0, rating = 0, similarity = 0 }: T) =>
    Number.isFinite(score + rating + similarity);
  if (list.every(isGood)) return list;
  throw noNumbers();
}

/** Whether a request takes long: one for a fold-in with many items. */
function isLong(body: unknown): boolean {
  const { ratings, items } = (body ?? {}) as Person;
  return isLongFoldIn((ratings ?? items ?? []).length);
}

/** Bytes of an item of a list, besides its title: as the output of a model, as an object, and as JSON. */
const ITEM_BYTES = 512;

/** Most bytes of a list, and of what a model returns for it. An excluded item is one more that the model returns. */
function answerBytes({ items, titleBytes }: OpenModel, { query, body }: Request<unknown, unknown>): number {
  const { k = query.k ?? 0, exclude = [] } = (body ?? {}) as Person;
  return Math.min(items.size, k + exclude.length) * (ITEM_BYTES + titleBytes);
}

function checkId(text: string): void {
  const problem = textProblem(text);
  if (problem) throw badRequest(problem);
}
