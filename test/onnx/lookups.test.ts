import { expect, test } from 'vitest';
import { constant, gather, input, lookups, loop, mul, reduceSum, type Value } from '../../src/onnx/index.ts';

const [table, other, unused] = ['table', 'other', 'unused'].map((name) => input(name, 'float', [9, 3]));
const [ids, more] = ['ids', 'more'].map((name) => input(name, 'int64', ['n']));

/** The operators that use a table in another way. */
const othersOf = (formula: Value) =>
  lookups([formula], [table]).flatMap(({ others }) => others.map(({ operator }) => operator));

test('a table looked up twice has both lookups, with their rows', () => {
  const [first, second] = [gather(table, ids), gather(table, more)];
  const [use] = lookups([mul(first, second)], [table]);
  expect(use).toEqual({
    lookups: [
      { indices: ids, rows: first },
      { indices: more, rows: second },
    ],
    others: [],
  });
});

test('of several tables each has its own, in their order; one that is not used has none', () => {
  const [rows, othersRows] = [gather(table, ids), gather(other, ids)];
  expect(lookups([mul(rows, othersRows)], [unused, other, table])).toEqual([
    { lookups: [], others: [] },
    { lookups: [{ indices: ids, rows: othersRows }], others: [] },
    { lookups: [{ indices: ids, rows }], others: [] },
  ]);
});

test('another use stands beside the lookups', () => {
  const rows = gather(table, ids);
  const [use] = lookups([mul(reduceSum(table), rows)], [table]);
  expect(use.lookups).toEqual([{ indices: ids, rows }]);
  expect(use.others.map(({ operator }) => operator)).toEqual(['ReduceSum']);
});

test('columns are no rows, and indices are no table', () => {
  expect(othersOf(gather(table, constant([0, 2], 'int64'), 1))).toEqual(['Gather']);
  expect(lookups([gather(table, ids)], [ids])[0].others.map(({ operator }) => operator)).toEqual(['Gather']);
});

test('a table that the body of a loop takes from outside is used by the loop', () => {
  const { state } = loop(constant(2, 'int64'), [ids], (_, [at]) => {
    const rows = reduceSum(gather(table, at), { axes: [1] });
    return { state: [at], scan: [rows] };
  });
  expect(othersOf(state[0])).toEqual(['Loop']);
});

test('a table twice among the inputs of one node is used by it once', () => {
  expect(othersOf(mul(table, table))).toEqual(['Mul']);
});
