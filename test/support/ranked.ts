/** Models that rank, with parameters that are drawn, and their formulas in plain TypeScript. */
import type { LearnedRanking, Tensors, Vocabulary } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { Model, ModelDefinition } from '../../graphs/models/model.ts';
import { add, gather } from '../../src/onnx/index.ts';
import { generator, normals } from '../../src/util/random.ts';
import { attention, distance } from './own.ts';

type Row = readonly number[];

export interface Ranked {
  readonly name: string;
  readonly definition: ModelDefinition;
  /** The score of an item for a user with these rows, by the rows of the other parameters. */
  score(user: Readonly<Record<string, Row>>, item: Readonly<Record<string, Row>>, weights: Tensors): number;
}

const dot = (a: Row, b: Row): number => a.reduce((sum, one, index) => sum + one * b[index], 0);

/** Biases, and factors of items that each user weighs: a user parameter of one axis, which changes no order. */
const biased: ModelDefinition = (facts, objective) => {
  const { name, config, parameters, score } = dotBias({ factors: 2 })(facts, objective);
  return {
    name: `biased ${name}`,
    config,
    parameters: {
      ...parameters,
      user_bias: { dims: [facts.users], initial: { normal: 1 }, rowsOf: 'user' },
    },
    score: (tables, user, item, dropout) =>
      add(score(tables, user, item, dropout), gather(tables.user_bias, user)),
  };
};

const affinity: Ranked['score'] = ({ user_factors }, { item_factors, item_bias }) =>
  dot(user_factors, item_factors) + item_bias[0];

export const RANKED: readonly Ranked[] = [
  { name: 'dot-bias', definition: dotBias({ factors: 3 }), score: affinity },
  {
    name: 'mlp',
    definition: mlp({ factors: [3, 2], hidden: [4] }),
    score: ({ user_factors }, { item_factors, item_bias }, weights) => {
      const input = [...user_factors, ...item_factors];
      const [first, second] = [weights.linear_1_weight.data, weights.linear_2_weight.data];
      const hidden = Array.from(weights.linear_1_bias.data, (bias, column) =>
        Math.max(
          0,
          input.reduce((sum, one, row) => sum + one * first[4 * row + column], bias),
        ),
      );
      return dot(hidden, [...second]) + item_bias[0];
    },
  },
  {
    name: 'distance',
    definition: distance,
    score: ({ user_place }, { item_place, item_mark }) => {
      const way = user_place.map((one, index) => one - item_place[index]);
      return item_mark[0] + item_mark[1] - dot(way, way);
    },
  },
  {
    name: 'attention',
    definition: attention,
    score: ({ user_place }, { item_place, item_mark }) => {
      const products = user_place.map((one, index) => one * item_place[index]);
      const powers = products.map(Math.exp);
      const total = powers.reduce((sum, one) => sum + one, 0);
      return dot(powers, products) / total + item_mark[0] + item_mark[1];
    },
  },
  {
    name: 'a bias of users',
    definition: biased,
    score: (user, item, weights) => affinity(user, item, weights) + user.user_bias[0],
  },
];

export const idsOf = (kind: string, length: number): string[] =>
  Array.from({ length }, (_, row) => `${kind} ${row}`);

/** A model that ranks, as if it were trained on these users and items. */
export function drawn(
  definition: ModelDefinition,
  { users = 20, items = 30, ...settings }: { users?: number; items?: number } & Partial<LearnedRanking> = {},
): { part: LearnedRanking; vocabulary: Vocabulary } {
  const facts = { users, items, ratings: 500, low: 1, high: 5, mean: 3 };
  const model: Model = definition(facts, 'ranking');
  const random = generator(5);
  const trained: Tensors = Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims }]) => {
      const size = dims.reduce((product, dim) => product * dim, 1);
      return [name, { dims, data: normals(size, 0.7, random) }];
    }),
  );
  const counts = Array.from({ length: items }, (_, row) => (11 * row + 5) % items);
  const part: LearnedRanking = { model, trained, positive: 4, userDecay: [0.5, 0.5], counts, ...settings };
  return { part, vocabulary: { userIds: idsOf('user', users), itemIds: idsOf('item', items) } };
}

/** The rows of one user or item in all of its tables. */
export function rowsIn({ model, trained }: LearnedRanking, kind: 'user' | 'item', row: number) {
  const tables = Object.entries(model.parameters).filter(([, { rowsOf }]) => rowsOf === kind);
  return Object.fromEntries(
    tables.map(([name, { dims }]) => {
      const width = dims.slice(1).reduce((product, dim) => product * dim, 1);
      return [name, [...trained[name].data.subarray(row * width, (row + 1) * width)]];
    }),
  );
}
