import type { Model } from '../../../graphs/models/model.ts';
import { add, buildModel, type Dim, div, input, type ModelFile, sub, type Value } from '../../onnx/index.ts';
import { rateOf } from './by-rating.ts';
import { carriedInputs, stateName } from './layout.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { timesRows } from './rows.ts';
import { tablesOf } from './tables.ts';

/** The parameters that are pulled to a prior, by name. */
export const pulledOf = ({ parameters }: Model<Dim>): string[] =>
  Object.keys(parameters).filter((name) => parameters[name].pull);

/**
 * Pulls rows to the means of their priors, once for many steps: row ← prior + (row − prior) / (1 + rate · strength). This is an
 * implicit step, which is stable whatever the strength.
 *
 * Inputs: parameters and optimizer state, see `carriedDims`; for each parameter that is pulled, `NAME.prior`, of its
 * shape or a scalar, and `NAME.strength` float: the learning rate times the curvature of the prior. Outputs: `NAME.next`.
 *
 * @returns undefined if nothing is pulled: no parameter has a prior, or the optimizer is not one that sums gradients by row
 */
export function pullGraph(model: Model<Dim>, optimizer: Optimizer): ModelFile | undefined {
  const names = pulledOf(model);
  if (!optimizer.byRow || !optimizer.summed || names.length === 0) return undefined;
  const carried = Object.fromEntries(carriedInputs(model, optimizer).map((value) => [value.name, value]));
  const inputs = new Set<Value>();
  const use = (value: Value): Value => {
    inputs.add(value);
    return value;
  };
  const outputs: Record<string, Value> = {};
  for (const columns of tablesOf(model)) {
    const state = Object.fromEntries(
      optimizer.state.map((part) => [part, carried[stateName(columns[0], part)]]),
    );
    const negatedRate = rateOf(model, optimizer, columns);
    for (const name of columns.filter((name) => names.includes(name))) {
      Object.values(state).forEach(use);
      const prior = use(
        input(`${name}.prior`, 'float', model.parameters[name].pull === 'prior' ? [] : carried[name].dims),
      );
      const strength = use(input(`${name}.strength`, 'float', []));
      const scalars = optimizer.scalars({ learningRate: strength, momentum: strength, step: strength });
      const kept = div(1, sub(1, negatedRate(name, state, scalars)));
      outputs[`${name}.next`] = add(prior, timesRows(sub(use(carried[name]), prior), kept));
    }
  }
  return buildModel({ name: `pull ${model.name}`, inputs: [...inputs], outputs });
}
