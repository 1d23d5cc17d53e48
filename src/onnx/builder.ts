import {
  type GraphFile,
  type ModelFile,
  type NamedConstant,
  type NamedType,
  type NodeFile,
  PRODUCER,
} from './file.ts';
import { bodyContents, bodyOf, dependencies, nodesBefore } from './graph.ts';
import { type OperatorName, operatorTable } from './operators.ts';
import { identity } from './ops.ts';
import { type Attribute, type Body, type Constant, GraphError, type Node, type Value } from './value.ts';

/** The parts of a model file. */
export interface ModelParts {
  readonly name: string;
  /** The graph's inputs, in this order. */
  readonly inputs: readonly Value[];
  /** The graph's outputs, by name. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Entries of the file's `metadata_props`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The lowest opset that a file declares: the first in which `ReduceSum` takes its axes as an input. */
const LOWEST_OPSET = 13;
const LOWEST_IR: Record<number, number> = { 13: 7, 14: 7, 15: 8, 16: 8, 17: 8 };

/**
 * Builds an ONNX model of everything that `outputs` depend on. The same parts give the same model. Its opset and IR
 * version are the lowest that its operators allow.
 *
 * @throws GraphError if the outputs depend on an input that is not in `inputs`, or if two inputs, or an input and an
 *   output, have the same name
 */
export function buildModel({ name, inputs, outputs, metadata = {} }: ModelParts): ModelFile {
  return new Builder().model(name, inputs, outputs, metadata);
}

class Builder {
  private readonly names = new Map<Value, string>();
  private readonly taken = new Set<string>();
  /** The next number to try after a name that is taken. */
  private readonly counts = new Map<string, number>();
  private readonly initializers: NamedConstant[] = [];
  private readonly smallConstants = new Map<string, string>();
  private readonly opsets: Record<string, number> = { '': LOWEST_OPSET };

  model(
    name: string,
    inputs: readonly Value[],
    outputs: Readonly<Record<string, Value>>,
    metadata: Readonly<Record<string, string>>,
  ): ModelFile {
    for (const value of inputs) {
      if (this.taken.has(value.name))
        throw new GraphError(`graph "${name}": two inputs are called "${value.name}"`);
      this.give(value, value.name);
    }
    const results = Object.entries(outputs).map(([wanted, value]) => {
      if (this.taken.has(wanted))
        throw new GraphError(`graph "${name}": an output is called "${wanted}", as an input is`);
      const own = value.source.kind !== 'node' || this.names.has(value) ? identity(value, wanted) : value;
      this.give(own, wanted);
      return own;
    });
    const nodes = this.nodes(nodesBefore(results));
    const { opsets, initializers } = this;
    const graph = { name, inputs: this.types(inputs), outputs: this.types(results), nodes, initializers };
    return { irVersion: LOWEST_IR[opsets['']], opsets, producer: PRODUCER, metadata, graph };
  }

  private nodes(nodes: readonly Node[]): NodeFile[] {
    return nodes.map((node) => {
      const { since, domain = '' } = operatorTable[node.operator as OperatorName];
      const version = typeof since === 'function' ? since(node.attributes) : since;
      this.opsets[domain] = Math.max(this.opsets[domain] ?? 1, version);
      const inputs = node.inputs.map((value) => this.nameOf(value, node));
      const outputs = node.outputs.map((value) => this.names.get(value) ?? this.give(value, value.name));
      // The body's names come after those outside it, because a body must not reuse them.
      const body = bodyOf(node);
      const attributes = Object.fromEntries(
        Object.entries(node.attributes).map(([key, attribute]): [string, Attribute<GraphFile>] => [
          key,
          'graph' in attribute ? { graph: this.body(body as Body, outputs[0]) } : attribute,
        ]),
      );
      return { operator: node.operator, domain, name: outputs[0], inputs, outputs, attributes };
    });
  }

  private body(body: Body, name: string): GraphFile {
    for (const value of body.inputs) this.give(value, value.name);
    const { nodes, captured } = bodyContents(body);
    for (const value of captured) {
      const user = nodes.find((node) => dependencies(node).includes(value)) as Node;
      this.nameOf(value, user);
    }
    const graph = {
      name: `${name}_body`,
      inputs: this.types(body.inputs),
      nodes: this.nodes(nodes),
      outputs: this.types(body.outputs),
      initializers: [],
    };
    // Nothing outside the body may use a value from inside it.
    for (const value of body.inputs) this.names.delete(value);
    return graph;
  }

  private types(values: readonly Value[]): NamedType[] {
    return values.map((value) => ({
      name: this.names.get(value) as string,
      dtype: value.dtype,
      dims: value.dims,
      ...(value.sequence && { sequence: true }),
    }));
  }

  private give(value: Value, wanted: string): string {
    let name = wanted;
    let count = this.counts.get(wanted) ?? 2;
    while (this.taken.has(name)) name = `${wanted}_${count++}`;
    this.counts.set(wanted, count);
    this.taken.add(name);
    this.names.set(value, name);
    return name;
  }

  private nameOf(value: Value, user: Node): string {
    const known = this.names.get(value);
    if (known !== undefined) return known;
    if (value.source.kind !== 'initializer') {
      throw new GraphError(
        `${user.operator} "${user.outputs[0].name}" uses "${value.name}", which is neither an input of the graph nor computed in it`,
      );
    }
    const constant = { dtype: value.dtype, dims: value.dims as readonly number[], data: value.source.data };
    return this.shared(constant) ?? this.keep(value, constant);
  }

  private keep(value: Value, constant: Constant): string {
    const name = this.give(value, value.name);
    this.initializers.push({ name, ...constant });
    if (constant.data.length <= 16) this.smallConstants.set(keyOf(constant), name);
    return name;
  }

  private shared(constant: Constant): string | undefined {
    return constant.data.length <= 16 ? this.smallConstants.get(keyOf(constant)) : undefined;
  }
}

// 0 and −0 must stay two constants, and String() does not distinguish them.
function keyOf({ dtype, dims, data }: Constant): string {
  const elements = Array.from(data as ArrayLike<unknown>, (element) =>
    Object.is(element, -0) ? '-0' : String(element),
  );
  return JSON.stringify([dtype, dims, elements]);
}
