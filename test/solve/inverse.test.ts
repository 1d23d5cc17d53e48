import { expect, test } from 'vitest';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Runtime } from '../../src/run/runtime.ts';
import { webRuntime } from '../../src/run/web.ts';
import { invert } from '../../src/solve/inverse.ts';
import { addRowOfSquare, squareOf } from '../../src/solve/square.ts';
import {
  diagonalOf,
  elements,
  readRow,
  setRow,
  type Triangle,
  tileSize,
  triangle,
} from '../../src/solve/triangle.ts';
import { solve } from '../../src/util/linear-algebra.ts';
import { generator, normals } from '../../src/util/random.ts';

/** A symmetric positive definite matrix [n, n]. */
function positiveDefinite(n: number): Float64Array {
  const values = normals(n * 20, 1, generator(1));
  const matrix = new Float64Array(n * n);
  for (let row = 0; row < n; row++)
    for (let other = 0; other < n; other++) {
      for (let at = 0; at < 20; at++)
        matrix[row * n + other] += values[row * 20 + at] * values[other * 20 + at];
      if (row === other) matrix[row * n + other] += 10;
    }
  return matrix;
}

function plainInverse(matrix: Float64Array, n: number): Float64Array {
  const unit = new Float64Array(n * n);
  for (let row = 0; row < n; row++) unit[row * n + row] = 1;
  solve(matrix.slice(), n, unit);
  return unit;
}

function triangleOf(matrix: Float64Array, n: number, most?: number): Triangle {
  const made = triangle(n, most);
  for (let row = 0; row < n; row++) setRow(made, row, matrix.subarray(row * n, (row + 1) * n));
  return made;
}

/** All rows, one after the other. */
function rowsOf(made: Triangle): Float32Array {
  const all = new Float32Array(made.n ** 2);
  for (let row = 0; row < made.n; row++) readRow(made, row, all.subarray(row * made.n, (row + 1) * made.n));
  return all;
}

const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0);

test('systems of equations', () => {
  // [[4, 2], [2, 3]] of [1, 2] and [3, −1]; what is below the diagonal is not read.
  const right = Float64Array.of(8, 10, 8, 3);
  solve(Float64Array.of(4, 2, Number.NaN, 3), 2, right);
  expect([...right].map((value) => Number(value.toFixed(12)))).toEqual([1, 3, 2, -1]);
});

test('tiles are of about the same size, and hold half the matrix', () => {
  expect([1, 512, 513, 1700].map((n) => tileSize(n))).toEqual([1, 512, 257, 425]);
  const { tiles } = triangle(10, 4);
  expect(tiles.map((row) => row.map(({ dims }) => dims.join('×')))).toEqual([
    ['4×4'],
    ['4×4', '4×4'],
    ['2×4', '2×4', '2×2'],
  ]);
  expect(tiles.flat().reduce((sum, tile) => sum + elements(tile).length, 0)).toBe(68);
});

test('rows go in and come out', () => {
  const n = 11;
  const matrix = Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    return Math.max(row, column) * n + Math.min(row, column);
  });
  const made = triangleOf(matrix, n, 4);
  expect([...rowsOf(made)]).toEqual([...matrix]);
  expect([...diagonalOf(made)]).toEqual(Array.from({ length: n }, (_, row) => matrix[row * n + row]));
  const square = squareOf(made);
  for (const row of [0, 5, 10]) {
    const into = new Float64Array(n).fill(1);
    addRowOfSquare(square, row, 2, into);
    expect([...into]).toEqual([...matrix.subarray(row * n, (row + 1) * n)].map((value) => 1 + 2 * value));
  }
});

test('inverts in one tile, by halves of odd sizes too', async () => {
  const n = 403;
  const matrix = positiveDefinite(n);
  const made = triangleOf(matrix, n);
  expect(made.tiles).toHaveLength(1);
  await invert(await nodeRuntime(), made);
  expect(difference(rowsOf(made), plainInverse(matrix, n))).toBeLessThan(1e-6);
});

/** A runtime whose results come in memory of their own. */
const withoutOutputs = (runtime: Runtime): Runtime => ({
  ...runtime,
  async createSession(model) {
    const session = await runtime.createSession(model);
    return { ...session, run: (feeds) => session.run(feeds), release: () => session.release() };
  },
});

test('inverts tile by tile, whatever the runtime does with outputs that are given', async () => {
  const node = await nodeRuntime();
  for (const [n, most] of [
    [7, 3],
    [8, 1],
    [150, 70],
    [301, 100],
  ]) {
    const matrix = positiveDefinite(n);
    const expected = plainInverse(matrix, n);
    for (const runtime of [node, withoutOutputs(node), await webRuntime()]) {
      const made = triangleOf(matrix, n, most);
      await invert(runtime, made);
      expect(difference(rowsOf(made), expected), `${n} by ${most}, ${runtime.name}`).toBeLessThan(2e-6);
    }
  }
});

test('does not take memory for results where the runtime writes in place', async () => {
  const node = await nodeRuntime();
  const outputs: boolean[] = [];
  const watched: Runtime = {
    ...node,
    async createSession(model) {
      const session = await node.createSession(model);
      const run = session.run.bind(session);
      session.run = ((feeds: Parameters<typeof run>[0], fetches?: Parameters<typeof run>[1]) => {
        outputs.push(fetches !== undefined);
        return fetches ? run(feeds, fetches) : run(feeds);
      }) as typeof session.run;
      return session;
    },
  };
  await invert(watched, triangleOf(positiveDefinite(40), 40, 10));
  // Of each tile of the diagonal, three products for its column and six for the rest, and two to find out.
  expect(outputs).toEqual([false, ...Array(4 * 9 + 1).fill(true)]);
});

test('reports how far it is, and stops where a turn throws', async () => {
  const runtime = await nodeRuntime();
  const parts: number[] = [];
  const matrix = positiveDefinite(40);
  await invert(runtime, triangleOf(matrix, 40, 10), { onProgress: (part) => parts.push(part) });
  expect(parts).toEqual([0.25, 0.5, 0.75, 1]);
  let left = 12;
  const turn = async () => {
    if (left-- === 0) throw new Error('stopped');
  };
  await expect(invert(runtime, triangleOf(matrix, 40, 10), { turn })).rejects.toThrow('stopped');
  expect(left).toBe(-1);
});
