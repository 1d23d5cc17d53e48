import type { ModelParts } from './builder.ts';
import { dependencies, nodesBefore, substitute } from './graph.ts';
import { type Constant, initializer, type Node, type Value } from './value.ts';

/** Constant folding: replaces values that depend on no input by their elements, so that no session computes them again. */
export async function precomputed(
  parts: ModelParts,
  evaluate: (values: Readonly<Record<string, Value>>) => Promise<readonly Constant[]>,
): Promise<ModelParts> {
  const fixed = new Set<Node>();
  const isFixed = ({ source }: Value): boolean =>
    source.kind === 'initializer' || (source.kind === 'node' && fixed.has(source.node));
  const used = new Set<Value>();
  for (const node of nodesBefore(Object.values(parts.outputs))) {
    const needs = dependencies(node);
    if (needs.every(isFixed)) fixed.add(node);
    else for (const value of needs.filter(isFixed)) used.add(viewed(value, SHAPES));
  }
  // A table that is used both as it is and transposed is stored once.
  const bases = [...used].map((value) => viewed(value, ORDERS));
  const shared = (base: Value): boolean => used.has(base) || bases.filter((one) => one === base).length > 1;
  const wanted = new Set(
    [...used]
      .map((value, index) => (shared(bases[index]) ? bases[index] : value))
      .filter(({ source }) => source.kind === 'node'),
  );
  if (wanted.size === 0) return parts;
  const values = [...wanted];
  const constants = await evaluate(
    Object.fromEntries(values.map((value, index) => [`value_${index}`, value])),
  );
  const replacements = values.map((value, index) => {
    const { dtype, dims, data } = constants[index];
    return [value, initializer(value.name, dtype, dims, data)] as const;
  });
  return withValues(parts, new Map(replacements));
}

/** The value that another is a view of: removes operators that only reshape or reorder. */
function viewed(value: Value, views: ReadonlySet<string>): Value {
  const { source } = value;
  return source.kind === 'node' && views.has(source.node.operator)
    ? viewed(source.node.inputs[0], views)
    : value;
}

const SHAPES = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Identity']);
const ORDERS = new Set(['Transpose', ...SHAPES]);

/** The parts with some values replaced. */
export function withValues(parts: ModelParts, replacements: ReadonlyMap<Value, Value>): ModelParts {
  const renewed = substitute(Object.values(parts.outputs), replacements);
  const outputs = Object.keys(parts.outputs).map((name, index) => [name, renewed[index]] as const);
  return { ...parts, outputs: Object.fromEntries(outputs) };
}
