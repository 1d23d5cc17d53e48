import { Float16Array } from '@petamoriken/float16';
import type { ModelParts } from './builder.ts';
import { withValues } from './constants.ts';
import type { GraphFile } from './file.ts';
import { dependencies, nodesBefore } from './graph.ts';
import { lookups } from './lookups.ts';
import { cast, gather, mul } from './ops.ts';
import { initializer, type Value } from './value.ts';

/** How the numbers of large tables are kept: as they are, in half the space, or in a quarter. */
export const PRECISIONS = ['float32', 'float16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Tables of fewer elements gain nothing. */
const FEWEST_ELEMENTS = 4096;

/** A table that takes less space, and how whole rows or all of it become floats again. */
interface Compressed {
  readonly stored: readonly Value[];
  restore(stored: readonly Value[]): Value;
}

/**
 * Keeps large tables as float16, or as int8 with a scale for each row (slice along the longest axis), and restores what
 * is used of them when the graph runs. A table with numbers that are too large for that stays as it is.
 */
export function compressed(parts: ModelParts, precision: Precision): ModelParts {
  if (precision === 'float32') return parts;
  const outputs = Object.values(parts.outputs);
  const tables = [...new Set(nodesBefore(outputs).flatMap(dependencies).filter(isLargeTable))];
  const uses = lookups(outputs, tables);
  const replacements = new Map<Value, Value>();
  for (const [place, table] of tables.entries()) {
    const axis = table.dims.indexOf(Math.max(...table.dims.map(Number)));
    const small = precision === 'int8' ? toInt8(table, axis) : toFloat16(table);
    if (!small) continue;
    replacements.set(table, small.restore(small.stored));
    for (const { indices, rows } of uses[place].lookups) {
      if (axis !== 0 || indices.dims.length !== 1) continue;
      // Only the rows that are looked up.
      replacements.set(rows, small.restore(small.stored.map((part) => gather(part, indices))));
    }
  }
  return withValues(parts, replacements);
}

function isLargeTable({ dtype, dims, source }: Value): boolean {
  return (
    dtype === 'float' &&
    dims.length > 1 &&
    source.kind === 'initializer' &&
    source.data.length >= FEWEST_ELEMENTS
  );
}

function toFloat16(table: Value): Compressed | undefined {
  const data = elementsOf(table);
  const half = Float16Array.from(data);
  if (data.some((element, place) => Number.isFinite(element) && !Number.isFinite(half[place]))) return;
  const bits = new Uint16Array(half.buffer);
  return {
    stored: [initializer(`${table.name}_float16`, 'float16', table.dims as number[], bits)],
    restore: ([rows]) => cast(rows, 'float', table.name),
  };
}

function toInt8(table: Value, axis: number): Compressed | undefined {
  const dims = table.dims as readonly number[];
  const data = elementsOf(table);
  const rowOf = rowsAlong(dims, axis);
  const scale = new Float32Array(dims[axis]);
  for (const [place, element] of data.entries())
    scale[rowOf(place)] = Math.max(scale[rowOf(place)], Math.abs(element) / 127);
  if (!scale.every(Number.isFinite)) return;
  // The scale of numbers near 1e-45 may be rounded down by a half.
  const whole = Int8Array.from(data, (element, place) =>
    Math.max(-127, Math.min(127, Math.round(element / (scale[rowOf(place)] || 1)))),
  );
  const scaleDims = dims.map((dim, at) => (at === axis ? dim : 1));
  return {
    stored: [
      initializer(`${table.name}_int8`, 'int8', dims, whole),
      initializer(`${table.name}_scale`, 'float', scaleDims, scale),
    ],
    // Not DequantizeLinear: ONNX Runtime 1.30 ends the process where a Transpose follows it.
    restore: ([rows, scales]) => mul(cast(rows, 'float'), scales, table.name),
  };
}

function elementsOf({ source }: Value): Float32Array {
  return (source as { data: Float32Array }).data;
}

/** The elements of a table that a file keeps, in whatever precision; undefined where it keeps none of that name. */
export function restoredTable(
  { initializers }: GraphFile,
  name: string,
): { readonly dims: readonly number[]; readonly data: Float32Array } | undefined {
  const find = (suffix: string) => initializers.find((initializer) => initializer.name === name + suffix);
  const [whole, half, int8, scale] = ['', '_float16', '_int8', '_scale'].map(find);
  if (whole?.dtype === 'float') return { dims: whole.dims, data: whole.data as Float32Array };
  if (half) {
    const bits = half.data as Uint16Array;
    return { dims: half.dims, data: Float32Array.from(new Float16Array(bits.buffer as ArrayBuffer)) };
  }
  if (!int8 || !scale) return undefined;
  const { dims, data } = int8;
  const rowOf = rowsAlong(dims, scale.dims.indexOf(Math.max(...scale.dims)));
  const scales = scale.data as Float32Array;
  return { dims, data: Float32Array.from(data as Int8Array, (whole, place) => whole * scales[rowOf(place)]) };
}

/** From the place of an element to its index along an axis. */
function rowsAlong(dims: readonly number[], axis: number): (place: number) => number {
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  return (place) => Math.floor(place / inner) % dims[axis];
}
