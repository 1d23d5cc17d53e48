import type { Model, ModelDefinition } from '../../graphs/models/model.ts';
import { add, gather, mul, reduceSum, softmax, sub } from '../../src/onnx/index.ts';

const places =
  (name: string, score: Model['score']): ModelDefinition =>
  ({ users, items }) => ({
    name,
    config: {},
    parameters: {
      user_place: { dims: [users, 3], initial: { normal: 1 }, rowsOf: 'user' },
      item_place: { dims: [items, 3], initial: { normal: 1 }, rowsOf: 'item' },
      item_mark: { dims: [items, 2], initial: { normal: 1 }, rowsOf: 'item' },
    },
    score,
  });

/** Near is good; two tables of items, and axes counted from the end. */
export const distance = places('distance', ({ user_place, item_place, item_mark }, user, item) => {
  const way = sub(gather(user_place, user), gather(item_place, item));
  return sub(reduceSum(gather(item_mark, item), { axes: [-1] }), reduceSum(mul(way, way), { axes: [-1] }));
});

/** A formula that can only be computed pair by pair. */
export const attention = places('attention', ({ user_place, item_place, item_mark }, user, item) => {
  const products = mul(gather(user_place, user), gather(item_place, item));
  const marks = reduceSum(gather(item_mark, item), { axes: [1] });
  return add(reduceSum(mul(softmax(products), products), { axes: [1] }), marks);
});

/** To which all users are one. */
export const itemsAlone: ModelDefinition = ({ items }) => ({
  name: 'items-alone',
  config: {},
  parameters: { item_bias: { dims: [items], initial: { normal: 1 }, rowsOf: 'item' } },
  score: ({ item_bias }, _, item) => gather(item_bias, item),
});

/** To which all items are one. */
export const usersAlone: ModelDefinition = ({ users }) => ({
  name: 'users-alone',
  config: {},
  parameters: { user_bias: { dims: [users], initial: { normal: 1 }, rowsOf: 'user' } },
  score: ({ user_bias }, user) => gather(user_bias, user),
});
