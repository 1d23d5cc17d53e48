import { dependencies, nodesBefore } from './graph.ts';
import { intOf } from './shapes.ts';
import type { Node, Value } from './value.ts';

/** Rows that a formula takes from a table. */
export interface Lookup {
  /** Row numbers: int32 or int64, of any shape. */
  readonly indices: Value;
  /** The rows, [...shape of the indices, ...]. */
  readonly rows: Value;
}

/** What a formula does with a table. */
export interface TableUse {
  readonly lookups: readonly Lookup[];
  /** Nodes that use the table in another way. */
  readonly others: readonly Node[];
}

/** The table that a node looks up rows of, and the lookup; undefined for any other node. */
export function lookupOf({ operator, inputs, attributes, outputs: [rows] }: Node) {
  if (operator !== 'Gather' || intOf(attributes, 'axis', 0) !== 0) return undefined;
  const [table, indices] = inputs;
  return { table, lookup: { indices, rows } };
}

/** Where does a formula look up rows? One answer a table, in the order of `tables`. */
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
