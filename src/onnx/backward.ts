import { gradientRules, type Rule } from './gradients.ts';
import { dependents } from './graph.ts';
import type { OperatorName } from './operators.ts';
import { add, reduceSum } from './ops.ts';
import { constant, describe, GraphError, type Node, type Value } from './value.ts';

/**
 * Reverse mode: the gradients of a scalar `loss` with respect to `targets` (parameters, or any values on the way), as
 * values of their shapes.
 *
 * With a `seed`, of the shape of `loss`, which then need not be a scalar: the gradients of the sum of loss · seed.
 *
 * Gradients are added up over every path from a target to the loss. What the result does not need is never part of
 * the graph.
 *
 * @throws GraphError if the loss is no scalar, or not of the seed's shape, does not depend on a target, or an operator on the way is not
 *   differentiable.
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
  // What does not depend on a target needs no gradient.
  const onTheWay = [...dependents([loss], targets)];
  const sums = new Map<Value, Value>([[loss, seed]]);
  for (const node of onTheWay.reverse()) {
    const dys = node.outputs.map((output) => sums.get(output));
    if (dys.every((dy) => dy === undefined)) continue;
    const flows = ruleOf(node)({ ...node, y: node.outputs[0] }, dys[0] as Value, dys);
    for (const [place, value] of node.inputs.entries()) {
      const given = flows[place];
      if (!given) continue;
      const flow = unbroadcast(given, value, node);
      if (!dys.includes(flow)) name(flow, `grad_${value.name}`);
      const sum = sums.get(value);
      sums.set(value, sum ? add(sum, flow, `grad_${value.name}_sum`) : flow);
    }
  }
  return targets.map((target) => {
    const gradient = sums.get(target);
    if (!gradient) throw new GraphError(`the loss "${loss.name}" does not depend on "${target.name}"`);
    return gradient;
  });
}

/** Sums what a rule gives for an input over the axes along which the input was stretched. */
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

// A rule's result is fresh, so nothing else has seen its name yet.
function name(fresh: { name: string }, wanted: string): void {
  fresh.name = wanted;
}

function ruleOf(node: Node): Rule {
  const rule = gradientRules[node.operator as OperatorName] as Rule | null;
  if (!rule) throw new GraphError(`${node.operator} "${node.outputs[0].name}" is not differentiable`);
  return rule;
}
