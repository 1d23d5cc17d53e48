import { gradientRules, type Rule } from './gradients.ts';
import { dependents } from './graph.ts';
import type { OperatorName } from './operators.ts';
import { add, reduceSum } from './ops.ts';
import { constant, describe, GraphError, type Node, type Value } from './value.ts';

/**
 * Reverse-mode differentiation: the gradients of a scalar `loss` with respect to `targets` (parameters or intermediate
 * values), each of the shape of its target. The cotangents of all paths from a target to the loss are added up.
 *
 * @param seed cotangent of the loss. With a seed the loss may have any shape, that of the seed, and the result is the
 *   gradients of sum(loss · seed). @default 1
 * @throws GraphError if the loss is not of the seed's shape (a scalar by default) or does not depend on a target, or if
 *   an operator between them is not differentiable
 */
export function gradients(
  loss: Value,
  targets: readonly Value[],
  seed: Value = constant(1, loss.dtype),
): Value[] {
  if (loss.dims.join() !== seed.dims.join())
    throw new GraphError(
      `the loss must be ${seed.dims.length ? describe(seed) : 'a scalar'}, but is ${describe(loss)}`,
    );
  // Only nodes between a target and the loss need cotangents.
  const between = [...dependents([loss], targets)];
  const sums = new Map<Value, Value>([[loss, seed]]);
  for (const node of between.reverse()) {
    const dys = node.outputs.map((output) => sums.get(output));
    if (dys.every((dy) => dy === undefined)) continue;
    const cotangents = ruleOf(node)({ ...node, y: node.outputs[0] }, dys[0] as Value, dys);
    for (const [index, value] of node.inputs.entries()) {
      const broadcast = cotangents[index];
      if (!broadcast) continue;
      const cotangent = unbroadcast(broadcast, value, node);
      if (!dys.includes(cotangent)) name(cotangent, `grad_${value.name}`);
      const sum = sums.get(value);
      sums.set(value, sum ? add(sum, cotangent, `grad_${value.name}_sum`) : cotangent);
    }
  }
  return targets.map((target) => {
    const gradient = sums.get(target);
    if (!gradient) throw new GraphError(`the loss "${loss.name}" does not depend on "${target.name}"`);
    return gradient;
  });
}

/** Sums the cotangent of an input over the axes along which the input was broadcast. */
function unbroadcast(dy: Value, x: Value, { operator, outputs }: Node): Value {
  const missing = Math.max(0, dy.dims.length - x.dims.length);
  const stretched = x.dims.flatMap((dim, axis) =>
    dim === 1 && dy.dims[missing + axis] !== 1 ? [missing + axis] : [],
  );
  const kept = stretched.length ? reduceSum(dy, { axes: stretched, keepDims: true }) : dy;
  const sum = missing ? reduceSum(kept, { axes: [...Array(missing).keys()] }) : kept;
  if (sum.dims.join() === x.dims.join()) return sum;
  throw new GraphError(
    `${operator} "${outputs[0].name}": the gradient of "${x.name}" is ${describe(dy)}, but must be ${describe(x)}`,
  );
}

// Nothing else has used a rule's result yet, so it can still be renamed.
function name(fresh: { name: string }, wanted: string): void {
  fresh.name = wanted;
}

function ruleOf(node: Node): Rule {
  const rule = gradientRules[node.operator as OperatorName] as Rule | null;
  if (!rule) throw new GraphError(`${node.operator} "${node.outputs[0].name}" is not differentiable`);
  return rule;
}
