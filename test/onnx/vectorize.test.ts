import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import { type Model, noDropout } from '../../graphs/models/model.ts';
import { nodesBefore } from '../../src/onnx/graph.ts';
import * as onnx from '../../src/onnx/index.ts';
import { allPairs, initializer, input, type Value } from '../../src/onnx/index.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { neuralFactorization } from '../support/factorization.ts';
import { runs } from '../support/soak.ts';
import { type Elements, type Feeds, open } from './run.ts';

const { add, concat, gather, matmul, mul, reduceSum, reshape, softmax, split } = onnx;
const { squeeze, sub, tanh, transpose, unsqueeze, where } = onnx;

/** From the rows of the left and of the right ids, [batch]. */
type Formula = (left: Value, right: Value) => Value;

const LEFT = 4;
const RIGHT = 5;

/** Numbers kept in a graph, between −1 and 1. */
function numbers(dims: readonly number[], seed = 1): Value {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = uniforms(size, generator(seed)).map((one) => 2 * one - 1);
  return initializer(`numbers${seed}`, 'float', dims, data);
}

/** Every right id once, as a head asks of a catalogue, or some of them, as the caller likes. */
type Right = 'all' | readonly number[];

/**
 * Runs a formula for all pairs, and pair by pair, and expects the same. Every value on the way must have the dims that
 * were inferred for it.
 */
async function expectSame(formula: Formula, lefts: readonly number[], rights: Right): Promise<Value> {
  const left = input('lefts', 'int64', ['n']);
  const every = BigInt64Array.from({ length: RIGHT }, (_, row) => BigInt(row));
  const right =
    rights === 'all' ? initializer('every', 'int64', [RIGHT], every) : input('rights', 'int64', ['m']);
  const columns = rights === 'all' ? [...Array(RIGHT).keys()] : rights;
  const feed = (value: Value, data: readonly number[]): [Value, Elements] => [
    value,
    { dims: [data.length], data },
  ];
  const feeds = (...entries: [Value, Elements][]): Feeds =>
    new Map(entries.filter(([{ source }]) => source.kind === 'input'));

  const result = allPairs(formula, left, right);
  expect(onnx.describe(result)).toBe(`float[n, ${rights === 'all' ? RIGHT : 'm'}]`);
  const steps = nodesBefore([result]).flatMap((node) => node.outputs);
  const outputs = { result, ...Object.fromEntries(steps.map((value, at) => [`step${at}`, value])) };
  const graph = await open(
    [left, right].filter(({ source }) => source.kind === 'input'),
    outputs,
  );
  const whole = (await graph.run(feeds(feed(left, lefts), feed(right, columns)))).result;
  await graph.close();
  expect(whole.dims).toEqual([lefts.length, columns.length]);

  const [one, other] = ['one', 'other'].map((name) => input(name, 'int64', ['batch']));
  const single = await open([one, other], { result: formula(one, other) });
  const { result: expected } = await single.run(
    feeds(
      feed(
        one,
        lefts.flatMap((row) => columns.map(() => row)),
      ),
      feed(
        other,
        lefts.flatMap(() => columns),
      ),
    ),
  );
  await single.close();
  for (const [index, number] of (expected.data as number[]).entries())
    expect(Math.abs(Number(whole.data[index]) - number)).toBeLessThan(1e-4 * (1 + Math.abs(number)));
  return result;
}

/** Why a formula is computed pair by pair; undefined for one that is not. */
function reasonOf(formula: Formula): string | undefined {
  const reasons: string[] = [];
  const [left, right] = ['n', 'm'].map((size) => input(size, 'int64', [size]));
  allPairs(formula, left, right, (reason) => reasons.push(reason));
  expect(reasons.length).toBeLessThan(2);
  return reasons[0];
}

/** Draws formulas: vectors [batch, width] and numbers [batch], of one side, the other, or both. */
class Formulas {
  private seed = 1;

  constructor(private readonly draw: fc.GeneratorValue) {}

  private below = (limit: number): number => this.draw(fc.nat, limit - 1);
  private pick = <T>(...choices: readonly T[]): T => choices[this.below(choices.length)];
  private numbers = (dims: readonly number[]): Value => numbers(dims, ++this.seed);
  private axis = (): number => this.pick(1, -1);

  number(depth: number): Formula {
    if (depth === 0) {
      const [lefts, rights] = [this.numbers([LEFT]), this.numbers([RIGHT])];
      return this.pick<Formula>(
        (left) => gather(lefts, left),
        (_, right) => gather(rights, right),
        (left, right) => onnx.cast(onnx.equal(left, right), 'float'),
      );
    }
    const kind = this.below(8);
    const keepDims = this.pick(true, false);
    const axis = this.axis();
    if (kind < 2) {
      const [a, b] = [0, 1].map(() => this.number(depth - 1));
      return this.pick<Formula>(
        (...ids) => add(a(...ids), b(...ids)),
        (...ids) => mul(a(...ids), b(...ids)),
        (...ids) => where(onnx.less(a(...ids), b(...ids)), b(...ids), 0.5),
        (...ids) => onnx.max(sub(1, a(...ids)), tanh(b(...ids))),
      );
    }
    const width = this.below(3) + 1;
    const a = this.vector(depth - 1, width);
    if (kind < 5) {
      const b = this.vector(depth - 1, width);
      return (...ids) => {
        const sum = reduceSum(mul(a(...ids), b(...ids)), { axes: [axis], keepDims });
        return keepDims ? squeeze(sum, [axis]) : sum;
      };
    }
    if (kind < 7) {
      const reduce = this.pick(onnx.reduceMean, onnx.reduceMax, onnx.reduceMin, reduceSum);
      return (...ids) => {
        const reduced = reduce(a(...ids), { axes: [axis], keepDims });
        return keepDims ? squeeze(reduced, [axis]) : reduced;
      };
    }
    const weight = this.numbers([width, 1]);
    return (...ids) => squeeze(matmul(a(...ids), weight), [axis]);
  }

  vector(depth: number, width: number): Formula {
    if (depth === 0) {
      const [lefts, rights] = [this.numbers([LEFT, width]), this.numbers([RIGHT, width])];
      return this.pick<Formula>(
        (left) => gather(lefts, left),
        (_, right) => gather(rights, right),
      );
    }
    const same = (): Formula => this.vector(depth - 1, width);
    const kind = this.below(9);
    if (kind < 2) {
      const [a, b] = [same(), this.pick(true, false) ? same() : this.vector(depth - 1, 1)];
      return this.pick<Formula>(
        (...ids) => add(a(...ids), b(...ids)),
        (...ids) => mul(b(...ids), a(...ids)),
        (...ids) => where(onnx.greaterOrEqual(a(...ids), b(...ids)), a(...ids), -0.25),
      );
    }
    if (kind < 4) {
      const widths = Array.from({ length: this.below(3) + 1 }, () => this.below(3) + 1);
      const parts = widths.map((one) => this.vector(depth - 1, one));
      const weight = this.numbers([widths.reduce((sum, one) => sum + one, 0), width]);
      const bias = this.numbers(this.pick([width], [1, width], [1], []));
      const axis = this.axis();
      const activation = this.pick(onnx.relu, tanh, onnx.identity);
      return (...ids) => {
        const values = parts.map((part) => part(...ids));
        const joined = values.length > 1 ? concat(values, axis) : values[0];
        return activation(add(matmul(joined, weight), bias));
      };
    }
    if (kind === 4) {
      const a = this.vector(depth - 1, width + 1);
      const b = this.vector(depth - 1, 1);
      return (...ids) => onnx.slice(concat([a(...ids), b(...ids)], -1), 1, width + 1, { axis: 1 });
    }
    if (kind === 5) {
      const a = this.number(depth - 1);
      const b = same();
      const axis = this.axis();
      return (...ids) => mul(unsqueeze(a(...ids), [axis]), b(...ids));
    }
    const a = same();
    const b = same();
    const third = this.pick(-1, 1);
    return this.pick<Formula>(
      (...ids) => softmax(a(...ids)),
      (...ids) => sub(a(...ids), onnx.reduceMean(a(...ids), { axes: [-1], keepDims: true })),
      (...ids) => reduceSum(mul(unsqueeze(a(...ids), [1]), unsqueeze(b(...ids), [third])), { axes: [1] }),
      (...ids) => transpose(tanh(transpose(a(...ids)))),
      (...ids) => reshape(reshape(a(...ids), [-1, 1, width]), [-1, width]),
    );
  }
}

describe('a formula for all pairs is what it is for each', () => {
  test('whatever it is made of', async () => {
    const some = fc.array(fc.nat(RIGHT - 1), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.gen(),
        fc.array(fc.nat(LEFT - 1), { minLength: 1, maxLength: 3 }),
        fc.oneof(fc.constant<'all'>('all'), some),
        async (draw, lefts, rights) => {
          await expectSame(new Formulas(draw).number(3), lefts, rights);
        },
      ),
      { numRuns: runs(100, 1000) },
    );
  });

  const [users, items, square, bias] = [
    numbers([LEFT, 2], 1),
    numbers([RIGHT, 2], 2),
    numbers([2, 2], 3),
    numbers([RIGHT], 4),
  ];
  const rows = (left: Value, right: Value) => [gather(users, left), gather(items, right)];
  const summed = (loop: { state: Value[] }) => reduceSum(loop.state[0], { axes: [1] });

  test.each<[string, Formula, string?]>([
    ['ids alone', (left, right) => onnx.cast(add(mul(left, 10), right), 'float')],
    ['the left id alone', (left) => reduceSum(gather(users, left), { axes: [1] })],
    ['the right id alone', (_, right) => gather(bias, right)],
    [
      'factors in columns',
      (...ids) => {
        const [user, item] = rows(...ids).map((row) => transpose(row));
        return reduceSum(mul(user, item), { axes: [0] });
      },
      'Mul "mul" takes an input without a row for each id',
    ],
    [
      'columns of a table',
      (left, right) =>
        reduceSum(mul(gather(transpose(users), left, 1), gather(transpose(items), right, 1)), { axes: [0] }),
      'Mul "mul" takes an input without a row for each id',
    ],
    [
      'an axis before that of the ids',
      (...ids) => {
        const [user, item] = rows(...ids).map((row) => unsqueeze(row, [0]));
        return squeeze(reduceSum(mul(user, item), { axes: [2] }), [0]);
      },
      'Mul "mul" takes an input without a row for each id',
    ],
    [
      'a product of matrices for each pair',
      (...ids) => {
        const [user, item] = rows(...ids);
        const form = matmul(unsqueeze(matmul(user, square), [1]), unsqueeze(item, [2]));
        return squeeze(form, [1, 2]);
      },
      'MatMul "matmul" is not a product of rows and one matrix',
    ],
    [
      'a layer over the rows of a matrix for each pair',
      (...ids) => {
        const [user, item] = rows(...ids);
        return reduceSum(matmul(unsqueeze(mul(user, item), [1]), square), { axes: [1, 2] });
      },
      'MatMul "matmul" is not a product of rows and one matrix',
    ],
    ['rows of a table that has more', (_, right) => gather(numbers([RIGHT + 1], 5), right)],
    [
      'all factors in one row',
      (left, right) =>
        add(
          reduceSum(reshape(reshape(gather(users, left), [-1]), [-1, 2], ['batch', 2]), { axes: [1] }),
          gather(bias, right),
        ),
    ],
    [
      'attention over both sides',
      (...ids) => {
        const [user, item] = rows(...ids);
        return reduceSum(mul(softmax(mul(user, item)), item), { axes: [1] });
      },
      'Softmax "softmax" combines both sides',
    ],
    [
      'parts of both sides',
      (...ids) => {
        const [first, rest] = split(concat(rows(...ids), 1), [1, 3], 1);
        return sub(squeeze(first, [1]), reduceSum(rest, { axes: [1] }));
      },
      'Split "split" combines both sides',
    ],
    [
      'what is shaped like the other side',
      (left, right) => {
        const [user, item] = rows(left, right);
        return reduceSum(mul(onnx.expandLike(unsqueeze(gather(bias, right), [1]), user), item), {
          axes: [1],
        });
      },
      'Expand "expand" takes an input without a row for each id',
    ],
    [
      'a loop over one side',
      (...ids) => {
        const [user, item] = rows(...ids);
        const power = onnx.loop(onnx.constant(3, 'int64'), [user], (_, [x]) => ({
          state: [mul(x, user)],
          scan: [],
        }));
        return reduceSum(mul(power.state[0], item), { axes: [1] });
      },
      'Loop "loop" has a body that depends on ids',
    ],
    [
      'a loop that takes the other side from outside',
      (...ids) => {
        const [user, item] = rows(...ids);
        const body = (_: Value, [x]: readonly Value[]) => ({ state: [tanh(add(x, user))], scan: [] });
        return summed(onnx.loop(onnx.constant(2, 'int64'), [item], body));
      },
      'Loop "loop" has a body that depends on ids',
    ],
  ])('of %s', async (_, formula, why) => {
    expect(reasonOf(formula)).toBe(why);
    await expectSame(formula, [2, 0, 2], 'all');
    await expectSame(formula, [1], [3, 1, 3, 0]);
  });
});

describe('what is computed for all pairs', () => {
  const facts = { users: LEFT, items: RIGHT - 1, ratings: 9, low: 1, high: 5, mean: 3 };

  /** A model's ratings of all items, by tables with a row more, as heads have them. */
  async function catalogue(model: Model) {
    const tables = Object.fromEntries(
      Object.entries(model.parameters).map(([name, { dims, rowsOf }], seed) => {
        const [first, ...rest] = dims;
        return [name, numbers([rowsOf === 'item' ? first + 1 : first, ...rest], seed + 1)];
      }),
    );
    const result = await expectSame(
      (left, right) => model.score(tables, left, right, noDropout),
      [3, 1],
      'all',
    );
    const nodes = nodesBefore([result]);
    const of = (operator: string) => nodes.filter((node) => node.operator === operator);
    const shapes = nodes.flatMap((node) => node.outputs.map(({ dims }) => dims.join()));
    return { of, shapes };
  }

  test('of a dot product is one matrix product, and nothing larger than the result', async () => {
    const { of, shapes } = await catalogue(dotBias({ factors: 3 })(facts));
    expect(of('MatMul').map(({ outputs }) => outputs[0].dims)).toEqual([['n', RIGHT]]);
    expect(of('Gather').map(({ outputs }) => outputs[0].dims)).toEqual([['n', 3], ['n']]);
    expect(shapes.filter((shape) => shape.split(',').length > 2)).toEqual([]);
  });

  test('of layers over both sides begins with a half for each, and no side is repeated', async () => {
    const { of, shapes } = await catalogue(mlp({ factors: [3, 2], hidden: [7, 6] })(facts));
    const products = of('MatMul').map(({ inputs, outputs }) =>
      [...inputs, ...outputs].map(({ dims }) => dims.join()),
    );
    expect(products).toEqual([
      ['n,3', '3,7', 'n,7'],
      [`${RIGHT},2`, '2,7', `${RIGHT},7`],
      ['6,7', `n,7,${RIGHT}`, `n,6,${RIGHT}`],
      ['1,6', `n,6,${RIGHT}`, `n,1,${RIGHT}`],
    ]);
    expect(of('Concat')).toEqual([]);
    expect(shapes).not.toContain(`n,5,${RIGHT}`);
  });

  test('of products beside a tower is the sum of a layer over each', async () => {
    const { of } = await catalogue(neuralFactorization({ factors: 3, hidden: 2 })(facts));
    const products = of('MatMul').map(({ outputs }) => outputs[0].dims.join());
    expect(products.sort()).toEqual([`${RIGHT},2`, 'n,2', `n,1,${RIGHT}`, `n,1,${RIGHT}`].sort());
    expect(of('Concat')).toEqual([]);
  });
});
