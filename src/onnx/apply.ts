import { type OperatorName, operatorTable } from './operators.ts';
import {
  type Attributes,
  type Dim,
  describe,
  GraphError,
  type Node,
  type TensorType,
  type Value,
} from './value.ts';

export interface ApplyOptions {
  readonly attributes?: Attributes;
  /** Preferred name of the outputs. @default the operator's name in lower case */
  readonly name?: string;
  /** Sizes of the output, where they depend on values known only when the graph runs. */
  readonly dims?: readonly Dim[];
}

/**
 * Adds a node: infers the types of its outputs.
 *
 * @throws GraphError with the operator, the node and the shapes, if the inputs do not fit
 */
export function apply(
  operator: OperatorName,
  inputs: readonly Value[],
  { attributes = {}, name = operator.toLowerCase(), dims }: ApplyOptions = {},
): Value[] {
  let types: TensorType[];
  try {
    types = operatorTable[operator].infer(inputs, attributes, dims);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const shapes = inputs.map((value) => `${value.name}: ${describe(value)}`).join(', ');
    throw new GraphError(`${operator} "${name}" (${shapes}): ${error.message}`);
  }
  const outputs: Value[] = [];
  const node: Node = { operator, inputs, attributes, outputs };
  for (const type of types) outputs.push({ ...type, name, source: { kind: 'node', node } });
  return outputs;
}
