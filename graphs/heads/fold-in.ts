import type { Value } from '../../src/onnx/index.ts';
import * as onnx from '../../src/onnx/index.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { catalogueScores } from './catalogue.ts';
import { foldedByRatings } from './fold-in-rating.ts';
import { withLentRow, withoutLentRow } from './lent-row.ts';
import { scoresByLists } from './scores.ts';
import {
  type Parts,
  type RankingPart,
  type Rates,
  type RatingPart,
  servingTables,
  type Vocabulary,
} from './serving.ts';
import { topItems } from './top-items.ts';
import { ratingsFromScores, ratingsOf } from './top-ratings.ts';

/**
 * Fold-in of a person who was not in the training data: `item: string[m]`, `rating: float[m]`, `k: int64[1]` → the person's
 * row of each user parameter of the model that ranks; `top_item: string[k]` and `top_score: float[k]`, the best items except
 * those rated; and `top_rating: float[k]` if there is a model of ratings. Unknown items are ignored. A model without user
 * parameters gives every person the same answer, unless it is one of weights between items. A model of interactions has no
 * `rating`: everything listed is a positive.
 */
export function foldInGraph({ rating: rated, ranking }: Parts, { itemIds }: Vocabulary): onnx.ModelParts {
  const item = onnx.input('item', 'string', ['m']);
  const rating = onnx.input('rating', 'float', ['m']);
  const k = onnx.input('k', 'int64', [1]);
  const items = itemIds.length;
  const itemRow = onnx.labelEncoder(item, itemIds, 'item_row');
  const list = onnx.unsqueeze(itemRow, [0], 'list');
  const person = onnx.constant([0], 'int64');
  const ofRatings = rated && foldedInto(rated, { itemRow, rating, items });
  const isRated = ranking?.kind !== 'interactions';
  const ofRanking =
    ranking &&
    scoresByLists(ranking, {
      itemRow: list,
      rating: isRated ? onnx.unsqueeze(rating, [0]) : undefined,
      items,
    });
  const { rows, scores } = ofRanking ?? withScores(ofRatings as Folded, person, items);
  const top = topItems(scores, list, k, itemIds);
  const ratings = !ofRatings
    ? undefined
    : ranking
      ? ratingsOf(ofRatings, ofRatings.parameters, person, top)
      : ratingsFromScores(ofRatings, top);
  return {
    name: `fold-in ${(ranking ?? ofRatings)?.model.name}`,
    inputs: [item, ...(isRated ? [rating] : []), k],
    outputs: {
      // Triton's configurations cannot declare scalars.
      ...mapValues(rows, (row) => (row.dims.length > 1 ? onnx.squeeze(row, [0]) : row)),
      top_item: onnx.squeeze(top.items, [0]),
      top_score: onnx.squeeze(top.scores, [0]),
      ...(ratings && { top_rating: onnx.squeeze(ratings, [0]) }),
    },
  };
}

/**
 * The same for several people, by a ranking model: `item: string[n, m]` and `rating: float[n, m]` (padded with '' and 0),
 * `k: int64[1]` → the people's rows, `top_item: string[n, k]`, and `top_score: float[n, k]`.
 */
export function foldInManyGraph(ranking: RankingPart, { itemIds }: Vocabulary): onnx.ModelParts {
  const item = onnx.input('item', 'string', ['n', 'm']);
  const rating = onnx.input('rating', 'float', ['n', 'm']);
  const k = onnx.input('k', 'int64', [1]);
  const items = itemIds.length;
  const itemRow = withLentRow(onnx.labelEncoder(item, itemIds, 'item_row'), items);
  const isRated = ranking.kind !== 'interactions';
  const { rows, scores } = scoresByLists(ranking, {
    itemRow,
    rating: isRated ? withLentRow(rating, 0) : undefined,
    items,
  });
  const top = topItems(scores, itemRow, k, itemIds);
  const outputs = { ...rows, top_item: top.items, top_score: top.scores };
  return {
    name: `fold-in-many ${ranking.model.name}`,
    inputs: [item, ...(isRated ? [rating] : []), k],
    outputs: mapValues(outputs, (output) => withoutLentRow(output, item)),
  };
}

interface Folded extends Rates {
  /** The person's rows, [1, …] each. */
  readonly rows: Readonly<Record<string, Value>>;
  /** The serving parameters, with the person's rows as the tables of users. */
  readonly parameters: Readonly<Record<string, Value>>;
}

function foldedInto(part: RatingPart, ratings: Parameters<typeof foldedByRatings>[2]): Folded {
  const { model, trained, clip } = part;
  const tables = servingTables(model, trained);
  const rows = foldedByRatings(part, tables, ratings);
  return { model, clip, rows, parameters: { ...tables, ...rows } };
}

const withScores = ({ model, parameters, rows }: Folded, person: Value, items: number) => ({
  rows,
  scores: catalogueScores(model, parameters, person, items),
});
