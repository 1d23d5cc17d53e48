import type { Ratings } from '../data/dataset/ratings.ts';
import { plural } from '../util/format.ts';
import { choleskyRoot, solve } from '../util/linear-algebra.ts';
import { generator, normals } from '../util/random.ts';
import type { Scorer, Skipped } from './baseline.ts';
import { listsOf } from './lists.ts';

const FACTORS = 64;
const ITERATIONS = 8;
/** α: what a user has weighs 1 + α times as much as what the user lacks. */
const ALPHA = 10;
/** λ; docs/decisions.md has the figures. */
const REGULARIZATION = 60;
/** Standard deviation of the initial factors. */
const INITIAL = 0.01;
const SEED = 1;
/** Multiplications in all, roughly: a few minutes. */
const MOST_WORK = 2e11;

export interface AlsSettings {
  readonly factors?: number;
  readonly iterations?: number;
  readonly alpha?: number;
  readonly regularization?: number;
}

/**
 * Matrix factorization of who has what by alternating least squares: minimizes Σ c (x − u·v)² + λ (Σ|u|² + Σ|v|²) over all
 * pairs. For what a user has, x is 1 and the weight c is 1 + α; for all else x is 0 and c is 1. Each row is solved exactly.
 *
 * Source: Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets (2008).
 *
 * @param positives what the users have; the ratings themselves are ignored
 */
export function implicitAls(
  positives: Ratings,
  {
    factors = FACTORS,
    iterations = ITERATIONS,
    alpha = ALPHA,
    regularization = REGULARIZATION,
  }: AlsSettings = {},
): Scorer | Skipped {
  const { ofUsers, ofItems } = listsOf(positives);
  const work = iterations * factors ** 2 * (positives.ratings.length + ofUsers.length + ofItems.length);
  if (work > MOST_WORK)
    return {
      skipped: `${plural(positives.ratings.length, 'rating')} of ${plural(ofItems.length, 'item')} by ${plural(ofUsers.length, 'user')} would take more than a few minutes`,
    };
  const random = generator(SEED);
  const draw = (rows: number) => Float64Array.from(normals(rows * factors, INITIAL, random));
  const [users, items] = [draw(ofUsers.length), draw(ofItems.length)];
  for (let iteration = 0; iteration < iterations; iteration++) {
    fitRows(users, ofUsers, items, { factors, alpha, regularization });
    fitRows(items, ofItems, users, { factors, alpha, regularization });
  }
  return {
    scores(user) {
      const own = users.subarray(user * factors, (user + 1) * factors);
      return Float32Array.from(times(items, own, ofItems.length));
    },
  };
}

/**
 * The best rows x of one side, with the rows Y of the other side fixed: (YᵀY + λI + α Σ yyᵀ) x = (1 + α) Σ y, where the sums
 * are over the list. With YᵀY + λI = RᵀR, and Z the rows of YR⁻¹ in the list, x = R⁻¹Zᵀs, where (I + αZZᵀ) s = (1 + α) 1. For
 * a list longer than x, the equal Zᵀs = t with (I + αZᵀZ) t = (1 + α) Zᵀ1 is smaller.
 */
function fitRows(
  rows: Float64Array,
  lists: readonly Int32Array[],
  others: Float64Array,
  { factors, alpha, regularization }: Required<Omit<AlsSettings, 'iterations'>>,
): void {
  const gram = products(transposed(others, factors), factors);
  for (let at = 0; at < factors; at++) gram[at * factors + at] += regularization;
  const root = choleskyRoot(gram, factors);
  const whitened = others.slice();
  for (let from = 0; from < others.length; from += factors)
    solveTransposed(root, whitened.subarray(from, from + factors));
  for (const [row, list] of lists.entries()) {
    const z = new Float64Array(list.length * factors);
    for (const [at, other] of list.entries())
      z.set(whitened.subarray(other * factors, (other + 1) * factors), at * factors);
    const columns = transposed(z, factors);
    const byList = list.length < factors;
    const ones = new Float64Array(list.length).fill(1 + alpha);
    const right = byList ? ones : times(columns, ones, factors);
    const matrix = products(byList ? z : columns, right.length);
    for (let at = 0; at < matrix.length; at++) matrix[at] *= alpha;
    for (let at = 0; at < right.length; at++) matrix[at * right.length + at]++;
    solve(matrix, right.length, right);
    const x = byList ? times(columns, right, factors) : right;
    solveRoot(root, x);
    rows.set(x, row * factors);
  }
}

/** @param table [n, width] @returns [width, n] */
function transposed(table: Float64Array, width: number): Float64Array {
  const rows = table.length / width;
  const columns = new Float64Array(table.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < width; column++) columns[column * rows + row] = table[row * width + column];
  return columns;
}

/** The dot products of a table's rows with a vector, which may be empty. */
function times(table: Float64Array, vector: Float64Array, rows: number): Float64Array {
  const sums = new Float64Array(rows);
  const width = vector.length;
  for (let row = 0; row < rows; row++)
    for (let at = 0; at < width; at++) sums[row] += table[row * width + at] * vector[at];
  return sums;
}

/**
 * The dot products of `count` rows with one another; below the diagonal, some are left out. Two rows by two rows at once, which
 * takes a third of the time.
 */
function products(table: Float64Array, count: number): Float64Array {
  const width = table.length / count;
  const sums = new Float64Array(count * count);
  for (let one = 0; one < count; one += 2)
    for (let other = one; other < count; other += 2) {
      // The last row of an odd number is its own partner.
      const nextOne = Math.min(one + 1, count - 1);
      const nextOther = Math.min(other + 1, count - 1);
      const [a, b, c, d] = [one * width, nextOne * width, other * width, nextOther * width];
      let [ac, ad, bc, bd] = [0, 0, 0, 0];
      for (let at = 0; at < width; at++) {
        const inA = table[a + at];
        const inB = table[b + at];
        const inC = table[c + at];
        const inD = table[d + at];
        ac += inA * inC;
        ad += inA * inD;
        bc += inB * inC;
        bd += inB * inD;
      }
      sums[one * count + other] = ac;
      sums[one * count + nextOther] = ad;
      sums[nextOne * count + other] = bc;
      sums[nextOne * count + nextOther] = bd;
    }
  return sums;
}

/** Solves Rᵀx = b in place, for an upper triangular R. */
function solveTransposed(root: Float64Array, x: Float64Array): void {
  const n = x.length;
  for (let at = 0; at < n; at++) {
    x[at] /= root[at * n + at];
    for (let after = at + 1; after < n; after++) x[after] -= root[at * n + after] * x[at];
  }
}

/** Solves Rx = b in place, for an upper triangular R. */
function solveRoot(root: Float64Array, x: Float64Array): void {
  const n = x.length;
  for (let at = n - 1; at >= 0; at--) {
    for (let after = at + 1; after < n; after++) x[at] -= root[at * n + after] * x[after];
    x[at] /= root[at * n + at];
  }
}
