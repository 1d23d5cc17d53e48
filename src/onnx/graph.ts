import { type Body, GraphError, type Node, type Value } from './value.ts';

/** What a loop's body is made of: its nodes in order, and the values it uses from outside. */
export interface BodyContents {
  readonly nodes: readonly Node[];
  readonly captured: readonly Value[];
}

/** The nodes that `outputs` depend on, each after all that it uses. Nodes inside loop bodies are not among them. */
export function nodesBefore(outputs: readonly Value[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  visit(outputs, () => true, seen, order);
  return order;
}

/** All that a node needs computed before it, the values its body uses from outside included. */
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
 * Splits what a body's outputs depend on: the nodes that depend on its inputs run inside it, at every trip; all others
 * stand outside, and run once.
 */
export function bodyContents(body: Body): BodyContents {
  const known = contents.get(body);
  if (known) return known;
  const inside = dependents(body.outputs, body.inputs);
  // A body may not hand out an outside value: `loop` puts an Identity there, which belongs inside though it never varies.
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

/** The nodes through which `sources` reach `outputs`. */
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

/** `roots` computed anew with other values in place of some that they depend on, inside loops too. */
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

// An explicit stack: a long chain of nodes must not overflow JavaScript's.
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
