import { dependencies, nodesBefore } from './graph.ts';
import { intOf } from './shapes.ts';
import type { Node, Value } from './value.ts';

/** A lookup of rows in a table. */
export interface Lookup {
  /** Row numbers: int32 or int64, of any shape. */
  readonly indices: Value;
  /** The rows, [...shape of the indices, ...]. */
  readonly rows: Value;
}

/** How a formula uses a table. */
export interface TableUse {
  readonly lookups: readonly Lookup[];
  /** Nodes that use the table in another way. */
  readonly others: readonly Node[];
}

/** The table and the lookup of a node that looks up rows; undefined for any other node. */
export function lookupOf({ operator, inputs, attributes, outputs: [rows] }: Node) {
  if (operator !== 'Gather' || intOf(attributes, 'axis', 0) !== 0) return undefined;
  const [table, indices] = inputs;
  return { table, lookup: { indices, rows } };
}

/** How a formula uses each of `tables`, in their order. */
export function lookups(formula: readonly Value[], tables: readonly Value[]): TableUse[] {
  const uses = new Map(tables.map((table) => [table, { lookups: [] as Lookup[], others: [] as Node[] }]));
  for (const node of nodesBefore(formula)) {
    for (const value of new Set(dependencies(node))) {
      const use = uses.get(value);
      if (!use) continue;
      const found = lookupOf(node);
      if (found?.table === value) use.lookups.push(found.lookup);
      else use.others.push(node);
    }
  }
  return tables.map((table) => uses.get(table) as TableUse);
}
