import { type Body, GraphError, type Node, type Value } from './value.ts';

/** The content of a loop's body: its nodes in order, and the outside values that they use. */
export interface BodyContents {
  readonly nodes: readonly Node[];
  readonly captured: readonly Value[];
}

/** The nodes that `outputs` depend on, in topological order, without the nodes inside loop bodies. */
export function nodesBefore(outputs: readonly Value[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  visit(outputs, () => true, seen, order);
  return order;
}

/** The values that a node depends on: its inputs, and the outside values that its body uses. */
export function dependencies(node: Node): readonly Value[] {
  const body = bodyOf(node);
  return body ? [...node.inputs, ...bodyContents(body).captured] : node.inputs;
}

export function bodyOf(node: Node): Body | undefined {
  const attribute = node.attributes.body;
  return attribute && 'graph' in attribute ? attribute.graph : undefined;
}

const contents = new WeakMap<Body, BodyContents>();

/**
 * The nodes of a body. Only those that depend on the body's inputs are inside and run in every iteration. The others are
 * outside and run once.
 */
export function bodyContents(body: Body): BodyContents {
  const known = contents.get(body);
  if (known) return known;
  const inside = dependents(body.outputs, body.inputs);
  // A body may not return an outside value: `loop` adds an Identity, which belongs inside although it does not vary.
  for (const output of body.outputs) if (output.source.kind === 'node') inside.add(output.source.node);
  const nodes: Node[] = [];
  visit(body.outputs, (node) => inside.has(node), new Set(), nodes);
  const own = new Set<Value>([...body.inputs, ...nodes.flatMap((node) => node.outputs)]);
  const captured = new Set<Value>();
  for (const node of nodes) for (const value of dependencies(node)) if (!own.has(value)) captured.add(value);
  const result = { nodes, captured: [...captured] };
  contents.set(body, result);
  return result;
}

/** The nodes that depend on `sources` and that `outputs` depend on. */
export function dependents(outputs: readonly Value[], sources: readonly Value[]): Set<Node> {
  const reached = new Set<Value>(sources);
  const nodes = new Set<Node>();
  for (const node of nodesBefore(outputs)) {
    if (!dependencies(node).some((value) => reached.has(value))) continue;
    nodes.add(node);
    for (const output of node.outputs) reached.add(output);
  }
  return nodes;
}

/** `roots` recomputed with some of the values that they depend on replaced, also inside loops. */
export function substitute(roots: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  const renewed = new Map(replacements);
  const current = (value: Value): Value => renewed.get(value) ?? value;
  for (const node of nodesBefore(roots)) {
    if (!dependencies(node).some((value) => renewed.has(value))) continue;
    const outputs: Value[] = [];
    const body = bodyOf(node);
    const attributes = body && {
      body: { graph: { inputs: body.inputs, outputs: substitute(body.outputs, renewed) } },
    };
    const copy: Node = {
      ...node,
      inputs: node.inputs.map(current),
      attributes: { ...node.attributes, ...attributes },
      outputs,
    };
    for (const output of node.outputs) {
      const renewal = { ...output, source: { kind: 'node', node: copy } } as const;
      outputs.push(renewal);
      if (!replacements.has(output)) renewed.set(output, renewal);
    }
  }
  return roots.map(current);
}

// Depth first, with an explicit stack: recursion would overflow JavaScript's on a long chain of nodes.
function visit(roots: readonly Value[], wanted: (node: Node) => boolean, seen: Set<Node>, order: Node[]) {
  const stack: { node: Node; next: number; needs: readonly Value[] }[] = [];
  const enter = (value: Value): void => {
    if (value.source.kind !== 'node') return;
    const { node } = value.source;
    if (seen.has(node) || !wanted(node)) return;
    seen.add(node);
    stack.push({ node, next: 0, needs: dependencies(node) });
  };
  for (const root of roots) {
    if (root === undefined) throw new GraphError('a value that is undefined was used in a graph');
    enter(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.needs.length) enter(top.needs[top.next++]);
      else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
}
