import {
  allPairs,
  buildModel,
  cast,
  constant,
  equal,
  gather,
  gatherElements,
  input,
  labelEncoder,
  type ModelFile,
  type ModelParts,
  range,
  squeeze,
  unsqueeze,
  where,
} from '../../src/onnx/index.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { type Model, scoreOf } from '../models/model.ts';
import { scoresOfUsers } from './by-weights.ts';
import { popularity } from './catalogue.ts';
import { withLentRow, withoutLentRow } from './lent-row.ts';
import {
  isByWeights,
  knowsUsers,
  type Parts,
  predictor,
  type Rates,
  servedRating,
  servingTables,
  type Vocabulary,
  type WeightsRanking,
} from './serving.ts';

/**
 * `user: string[n]`, `item: string[n]` → `rating: float[n]` and, where no other model ranks, the `score: float[n]` that the
 * rating stands for; with a ranking model alone, `score: float[n]`, which is no rating. An unknown id gets the average row of
 * each parameter; in a ranking model an unknown user gets how popular the item is.
 */
export function predictGraph(parts: Parts, { userIds, itemIds }: Vocabulary): ModelParts {
  const { rating, ranking } = parts;
  const part = predictor(parts);
  const user = input('user', 'string', ['n']);
  const item = input('item', 'string', ['n']);
  const userRow = labelEncoder(user, userIds, 'user_row');
  const itemRow = labelEncoder(item, itemIds, 'item_row');
  if (isByWeights(part)) {
    const scores = scoresOfUsers(part, withLentRow(userRow, userIds.length));
    const score = gatherElements(scores, unsqueeze(withLentRow(itemRow, itemIds.length), [1]), 1);
    return {
      name: `predict ${part.model.name}`,
      inputs: [user, item],
      outputs: { score: withoutLentRow(squeeze(score, [1]), user) },
    };
  }
  const { model, trained } = part;
  const ofModel = scoreOf(model, servingTables(model, trained), { user: userRow, item: itemRow });
  const outputs = (): ModelParts['outputs'] => {
    if (rating) return { rating: servedRating(rating, ofModel), ...(!ranking && { score: ofModel }) };
    if (!ranking || !knowsUsers(model)) return { score: ofModel };
    const popular = gather(popularity(ranking.counts), itemRow, 0, 'popular');
    return { score: where(equal(userRow, userIds.length), popular, ofModel) };
  };
  return { name: `predict ${model.name}`, inputs: [user, item], outputs: outputs() };
}

/**
 * Predictions by row number, with the serving parameters as inputs, for a model in training: `user`, `item` int32[n] →
 * `rating` float[n].
 */
export function scoreGraph(part: Rates): ModelFile {
  const { model } = part;
  const user = input('user', 'int32', ['n']);
  const item = input('item', 'int32', ['n']);
  const parameters = mapValues(model.parameters, ({ dims: [rows, ...rest], rowsOf }, name) =>
    input(name, 'float', [rowsOf ? rows + 1 : rows, ...rest]),
  );
  const rating = servedRating(part, scoreOf(model, parameters, { user, item }));
  const inputs = [...Object.values(parameters), user, item];
  return buildModel({ name: `score ${model.name}`, inputs, outputs: { rating } });
}

/**
 * The scores of all items by row number of the user, with the parameters as inputs, for a model in training: `user` int32[n]
 * → `score` float[n, items].
 */
export function gridGraph(model: Model): { readonly file: ModelFile; readonly items: number } {
  const user = input('user', 'int32', ['n']);
  const parameters = mapValues(model.parameters, ({ dims }, name) => input(name, 'float', dims));
  const items = Object.values(model.parameters).find(({ rowsOf }) => rowsOf === 'item')?.dims[0] ?? 0;
  const every = range(constant(items, 'int64'), items, 'every_item');
  const score = allPairs(
    (left, right) => scoreOf(model, parameters, { user: left, item: right }),
    cast(user, 'int64', 'user_row'),
    every,
  );
  const inputs = [...Object.values(parameters), user];
  return { file: buildModel({ name: `rank ${model.name}`, inputs, outputs: { score } }), items };
}

/** The scores of all items by row number of the user, for a model of weights: `user` int64[n] → `score` float[n, items + 1]. */
export function userGraph(part: WeightsRanking): ModelParts {
  const user = input('user', 'int64', ['n']);
  return { name: `rank ${part.model.name}`, inputs: [user], outputs: { score: scoresOfUsers(part, user) } };
}
