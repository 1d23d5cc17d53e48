import { option, UserError } from '../errors.ts';
import type { Runtime } from '../run/runtime.ts';
import { invert } from './inverse.ts';
import { pauses } from './pauses.ts';
import { type Side, sideOf } from './sides.ts';
import { gram, type ItemLists, type Sparse, type Split, split, usersWithSeveral } from './sparse.ts';
import { addRowOfSquare, quadraticForm, squareOf } from './square.ts';
import { diagonalOf, readRow, type Triangle } from './triangle.ts';

export interface Solving {
  readonly runtime: Runtime;
  /** X: the items of each user. `weights` are its values. @default 1 each */
  readonly positives: ItemLists;
  /** What is added to the diagonal of XᵀX: float64[items] */
  readonly penalties: Float64Array;
  /** Bytes that it may take, if one of the sides fits into them; see `memoryOf`. Default: any */
  readonly memory?: number | undefined;
  /** Which matrix to invert. Default: `sideOf` decides */
  readonly side?: Side | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param part of the work that is done, up to 1 */
  readonly onProgress?: ((part: number) => void) | undefined;
}

/** P = (XᵀX + diag(penalties))⁻¹ */
export interface Solved {
  /** The diagonal of P, float64[items]. */
  readonly diagonal: Float64Array;
  /** A row of P, float32[items], in an array that the next call overwrites. */
  row(item: number): Float32Array;
}

/** The part of the work that is the inverse; the rest makes its matrix. */
const INVERSE = 0.8;

/**
 * Solves for how items depend on each other: P = (XᵀX + diag(penalties))⁻¹, from a matrix of the items or of the users.
 *
 * @throws UserError if it is stopped, or if the penalties are too small for 32-bit floats
 */
export async function solved(solving: Solving): Promise<Solved> {
  const { positives, penalties, memory } = solving;
  const sizes = {
    users: usersWithSeveral(positives),
    items: penalties.length,
    pairs: positives.items.length,
  };
  const parts = split(positives, penalties);
  const side = solving.side ?? sideOf(sizes, memory);
  const result = await (side === 'items' ? byItems : byUsers)(parts, solving);
  if (!result.diagonal.every((value) => value > 0 && value < Number.POSITIVE_INFINITY))
    throw new UserError(
      'training',
      `the penalty of weights is too small for 32-bit floats; give a higher ${option('regularization')}`,
    );
  return result;
}

async function byItems({ ofItems, ofUsers, diagonal }: Split, solving: Solving): Promise<Solved> {
  const p = await inverseOf(ofItems, ofUsers, { diagonal }, solving);
  const values = new Float32Array(p.n);
  return {
    diagonal: diagonalOf(p),
    row(item) {
      readRow(p, item, values);
      return values;
    },
  };
}

/**
 * By the Woodbury identity: with D the diagonal and X the users with two items or more, P = D⁻¹ − D⁻¹XᵀK⁻¹XD⁻¹, where
 * K = I + XD⁻¹Xᵀ.
 */
async function byUsers({ ofItems, ofUsers, diagonal }: Split, solving: Solving): Promise<Solved> {
  const ones = new Float64Array(ofUsers.rows).fill(1);
  const k = await inverseOf(ofUsers, ofItems, { diagonal: ones, divisors: diagonal }, solving);
  const inverse = squareOf(k);
  const turn = pauses(solving.signal);
  const own = new Float64Array(ofItems.rows);
  for (let item = 0; item < ofItems.rows; item++) {
    own[item] = (1 - quadraticForm(inverse, ofItems, item) / diagonal[item]) / diagonal[item];
    await turn();
  }
  const sums = new Float64Array(ofUsers.rows);
  const values = new Float32Array(ofItems.rows);
  const row = (item: number): Float32Array => {
    sums.fill(0);
    for (let at = ofItems.starts[item]; at < ofItems.starts[item + 1]; at++)
      addRowOfSquare(inverse, ofItems.columns[at], -ofItems.values[at] / diagonal[item], sums);
    multiply(ofItems, sums, diagonal, values);
    values[item] += 1 / diagonal[item];
    return values;
  };
  return { diagonal: own, row };
}

async function inverseOf(
  matrix: Sparse,
  other: Sparse,
  diagonals: { readonly diagonal: Float64Array; readonly divisors?: Float64Array },
  { runtime, signal, onProgress }: Solving,
): Promise<Triangle> {
  const turn = pauses(signal);
  await turn();
  const made = await gram(matrix, other, {
    ...diagonals,
    turn,
    onProgress: (part) => onProgress?.(part * (1 - INVERSE)),
  });
  await invert(runtime, made, {
    turn,
    onProgress: (part) => onProgress?.(1 - INVERSE + part * INVERSE),
  });
  return made;
}

/** D⁻¹Xᵀv of a vector v of users. */
function multiply(
  { rows, starts, columns, values }: Sparse,
  vector: Float64Array,
  diagonal: Float64Array,
  into: Float32Array,
): void {
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let at = starts[row], end = starts[row + 1]; at < end; at++) sum += values[at] * vector[columns[at]];
    into[row] = sum / diagonal[row];
  }
}
