import { apply } from '../../src/onnx/apply.ts';
import { substitute } from '../../src/onnx/graph.ts';
import * as onnx from '../../src/onnx/index.ts';
import { add, concat, div, gather, mul, sqrt, sub, type Value } from '../../src/onnx/index.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { type Model, scoreOf } from '../models/model.ts';
import { allRows, catalogueScores, orPopular } from './catalogue.ts';
import { likedRows } from './lists.ts';
import { knowsUsers, type LearnedRanking, servingTables } from './serving.ts';

/** Settings of Adagrad: after these steps the rows are as good as trained ones. */
const STEPS = 10;
const LEARNING_RATE = 0.3;

/**
 * What Adagrad adds to the root of the sum of squares, for each positive. Without it, it would take full steps along gradients
 * that are rounding errors, other ones in each runtime: those of a user bias, say, which does not change the order of the
 * items, or those of units of an MLP near zero. NDCG at 10 of lists folded in on MovieLens 100K is the same from 0.0001 to 0.3.
 */
const EPSILON = 0.1;

type Named = Readonly<Record<string, Value>>;

/**
 * Fold-in of people into a ranking model, all at once: their rows of each user parameter minimise the loss of their lists
 * over the whole catalogue, with the decay of training, while the items stay. They start from zero; full-batch Adagrad
 * (Duchi et al. 2011) with a cosine schedule finds them. A person without positives has rows of zero, and the scores of
 * what is popular.
 *
 * @param itemRow int64[n, m]: the items that each person rated; a number of `items` is an unknown item or padding
 * @param rating float[n, m]; undefined for a model of interactions, where everything listed is a positive
 * @returns the people's rows, [n, …] each, and the scores of all items, float[n, items + 1]
 */
export function foldedByRanking(
  { model, trained, positive, userDecay: [weight, power], counts }: LearnedRanking,
  {
    itemRow,
    rating,
    items,
  }: { readonly itemRow: Value; readonly rating: Value | undefined; readonly items: number },
): { rows: Named; scores: Value } {
  const grid = positiveGrid(itemRow, rating, { positive, items });
  const people = onnx.rowNumbers(grid, 'person');
  const tables = servingTables(model, trained);
  if (!knowsUsers(model)) return { rows: {}, scores: catalogueScores(model, tables, people, items) };
  const positives = onnx.reduceSum(grid, { axes: [1] }, 'positives');
  const atLeastOne = onnx.max(positives, 1, 'at_least_one');
  const decay = mul(onnx.pow(atLeastOne, power), 2 * weight, 'decay');
  const epsilon = mul(atLeastOne, EPSILON, 'epsilon');
  const names = Object.keys(model.parameters).filter((name) => model.parameters[name].rowsOf === 'user');
  const start = names.map((name) => {
    const [, ...dims] = model.parameters[name].dims;
    const shape = concat([onnx.shapeOf(people), onnx.constant(dims, 'int64')], 0);
    return onnx.full(shape, 0, 'float', { dims: [people.dims[0], ...dims], name });
  });
  const named = (rows: readonly Value[]): Named =>
    Object.fromEntries(rows.map((row, index) => [names[index], row]));
  const scoresOf = scoresOfRows(model, tables, { like: named(start), people, items });
  const rates = onnx.initializer('learning_rates', 'float', [STEPS], learningRates());

  const { state } = onnx.loop(onnx.constant(STEPS, 'int64'), [...start, ...start], (trip, values) => {
    const rows = values.slice(0, names.length);
    const scores = scoresOf(named(rows));
    const rate = gather(rates, trip, 0, 'learning_rate');
    const next = onnx.gradients(scores, rows, slopesOf(scores, grid, positives)).map((slope, index) => {
      const row = rows[index];
      const gradient = row.dims.length > 1 ? add(slope, mul(row, perRow(decay, row)), 'gradient') : slope;
      const sum = add(values[names.length + index], mul(gradient, gradient), 'sum_of_squares');
      const scale = add(sqrt(sum), perRow(epsilon, row), 'scale');
      return { row: sub(row, div(mul(gradient, rate), scale), row.name), sum };
    });
    return { state: [...next.map(({ row }) => row), ...next.map(({ sum }) => sum)], scan: [] };
  });
  const rows = named(state.slice(0, names.length));
  return { rows, scores: orPopular(scoresOf(rows), counts, positives, 0) };
}

/**
 * The gradient of `listLoss` with respect to the scores: positives · softmax − 1 for each item that a person has. A row of it
 * sums to 0, which rounding would miss.
 */
function slopesOf(scores: Value, grid: Value, positives: Value): Value {
  const known = onnx.where(knownColumns(grid), scores, Number.NEGATIVE_INFINITY, 'known_score');
  const shares = onnx.softmax(known);
  const slopes = sub(mul(shares, onnx.unsqueeze(positives, [1])), grid);
  const rest = onnx.reduceSum(slopes, { axes: [1], keepDims: true }, 'rounded_off');
  return sub(slopes, mul(shares, rest), 'slopes');
}

/** 1 for each item that a person has, however often it is listed, and 0 for the others: float[n, items + 1]. */
function positiveGrid(
  itemRow: Value,
  rating: Value | undefined,
  counted: { readonly positive: number | 'all'; readonly items: number },
): Value {
  const { items } = counted;
  const had = likedRows(itemRow, rating, counted);
  const shape = concat([onnx.slice(onnx.shapeOf(had), 0, 1), onnx.constant([items + 1], 'int64')], 0);
  const zeros = onnx.full(shape, 0, 'float', { dims: [had.dims[0], items + 1] });
  const marked = onnx.scatterElements(zeros, had, onnx.fullLike(had, 1, 'float'), { axis: 1 });
  return onnx.where(knownColumns(marked), marked, 0, 'positive_grid');
}

/** Which columns of a grid are items: all but the last, which is an unknown item. */
function knownColumns({ dims: [, columns] }: Value): Value {
  const known = new Uint8Array(Number(columns)).fill(1);
  known[known.length - 1] = 0;
  return onnx.initializer('known_columns', 'bool', [1, known.length], known);
}

const learningRates = (): Float32Array =>
  Float32Array.from({ length: STEPS }, (_, step) => LEARNING_RATE * cosine(step / STEPS));

const cosine = (part: number): number => (1 + Math.cos(Math.PI * part)) / 2;

/** A number for each row, [n], so that it broadcasts with the rows. */
const perRow = (numbers: Value, { dims }: Value): Value =>
  dims.length > 1 ? onnx.unsqueeze(numbers, [...dims.keys()].slice(1)) : numbers;

/**
 * A function from the rows of people, [n, …], to their scores of all items, float[n, items + 1]. The rows take the place of
 * lookups in the user tables, because the gradient of a lookup adds to rows in any order.
 *
 * @param like values of the rows' shapes, by parameter
 */
function scoresOfRows(
  model: Model,
  tables: Named,
  { like, people, items }: { readonly like: Named; readonly people: Value; readonly items: number },
): (rows: Named) => Value {
  const placeholders = mapValues(like, ({ dims }, name) => onnx.input(name, 'float', dims));
  const asked: Value[] = [];
  const score = (user: Value, item: Value): Value => {
    asked.push(user);
    return scoreOf(model, { ...tables, ...placeholders }, { user, item });
  };
  const scores = onnx.allPairs(score, people, allRows(items + 1));
  const uses = onnx.lookups([scores], Object.values(placeholders));
  return (rows) => {
    const replacements = new Map<Value, Value>();
    for (const [index, name] of Object.keys(placeholders).entries()) {
      replacements.set(placeholders[name], rows[name]);
      for (const found of uses[index].lookups)
        if (found.indices === people) replacements.set(found.rows, rows[name]);
        // A formula that is computed pair by pair looks up a row for each pair.
        else if (asked.includes(found.indices))
          replacements.set(found.rows, repeated(rows[name], people, items + 1, found.rows));
    }
    return substitute([scores], replacements)[0];
  };
}

/** Each row `times` times, one after the other. @param like a value of that shape */
function repeated(row: Value, people: Value, times: number, like: Value): Value {
  const [n, ...dims] = row.dims;
  const shape = concat([onnx.shapeOf(people), onnx.constant([times, ...dims.map(Number)], 'int64')], 0);
  const [copies] = apply('Expand', [onnx.unsqueeze(row, [1]), shape], { dims: [n, times, ...dims] });
  return onnx.reshape(copies, [-1, ...dims.map(Number)], like.dims, like.name);
}
