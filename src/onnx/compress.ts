import { Float16Array } from '@petamoriken/float16';
import type { ModelParts } from './builder.ts';
import { withValues } from './constants.ts';
import type { GraphFile } from './file.ts';
import { dependencies, nodesBefore } from './graph.ts';
import { lookups } from './lookups.ts';
import { cast, gather, mul } from './ops.ts';
import { initializer, type Value } from './value.ts';

/** Number types in which large tables can be stored: full, half, or a quarter of the size. */
export const PRECISIONS = ['float32', 'float16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Tables with fewer elements are not compressed. */
const FEWEST_ELEMENTS = 4096;

/** A compressed table, and how to restore some of its rows, or all of it, to floats. */
interface Compressed {
  readonly stored: readonly Value[];
  restore(stored: readonly Value[]): Value;
}

/**
 * Stores large tables as float16, or as int8 with a scale for each row (slice along the longest axis). The graph restores
 * the rows that it uses when it runs. A table whose numbers are out of the type's range is not compressed.
 */
export function compressed(parts: ModelParts, precision: Precision): ModelParts {
  if (precision === 'float32') return parts;
  const used = nodesBefore(Object.values(parts.outputs)).flatMap(dependencies);
  // One after the other, because the indices of a lookup may depend on another table.
  return [...new Set(used.filter(isLargeTable))].reduce(
    (changed, table) => withCompressed(changed, table, precision),
    parts,
  );
}

function withCompressed(parts: ModelParts, table: Value, precision: Precision): ModelParts {
  const axis = table.dims.indexOf(Math.max(...table.dims.map(Number)));
  const small = precision === 'int8' ? toInt8(table, axis) : toFloat16(table);
  if (!small) return parts;
  const replacements = new Map([[table, small.restore(small.stored)]]);
  const [use] = lookups(Object.values(parts.outputs), [table]);
  for (const { indices, rows } of use.lookups) {
    if (axis !== 0 || indices.dims.length !== 1) continue;
    // Where rows are looked up, only those are restored.
    replacements.set(rows, small.restore(small.stored.map((part) => gather(part, indices))));
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

/** Of tables that several files have. */
const halves = new WeakMap<Float32Array, Uint16Array | 'out of range'>();

function halfOf(data: Float32Array): Uint16Array | 'out of range' {
  const half = Float16Array.from(data);
  return data.some((element, index) => Number.isFinite(element) && !Number.isFinite(half[index]))
    ? 'out of range'
    : new Uint16Array(half.buffer);
}

function toFloat16(table: Value): Compressed | undefined {
  const data = elementsOf(table);
  const bits = halves.get(data) ?? halfOf(data);
  halves.set(data, bits);
  if (bits === 'out of range') return;
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
  for (const [index, element] of data.entries())
    scale[rowOf(index)] = Math.max(scale[rowOf(index)], Math.abs(element) / 127);
  if (!scale.every(Number.isFinite)) return;
  // The clamp is for denormal numbers near 1e-45, whose scale may be rounded down by half.
  const whole = Int8Array.from(data, (element, index) =>
    Math.max(-127, Math.min(127, Math.round(element / (scale[rowOf(index)] || 1)))),
  );
  const scaleDims = dims.map((dim, at) => (at === axis ? dim : 1));
  return {
    stored: [
      initializer(`${table.name}_int8`, 'int8', dims, whole),
      initializer(`${table.name}_scale`, 'float', scaleDims, scale),
    ],
    // Not DequantizeLinear: ONNX Runtime 1.30 crashes the process if a Transpose follows it.
    restore: ([rows, scales]) => mul(cast(rows, 'float'), scales, table.name),
  };
}

function elementsOf({ source }: Value): Float32Array {
  return (source as { data: Float32Array }).data;
}

/** The elements of a table in a file, whatever its precision; undefined if the file has no table with that name. */
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
  return { dims, data: Float32Array.from(data as Int8Array, (whole, index) => whole * scales[rowOf(index)]) };
}

/** Maps the index of an element in the data to its index along an axis. */
function rowsAlong(dims: readonly number[], axis: number): (index: number) => number {
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  return (index) => Math.floor(index / inner) % dims[axis];
}
