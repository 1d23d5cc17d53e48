import { add, gather, mul, scatterRows, type Value, zerosLike } from '../../onnx/index.ts';
import { mapValues } from '../../util/map-values.ts';
import type { Optimizer, Scalars, State } from './optimizers/optimizer.ts';
import type { RowGradient } from './row-gradients.ts';

export interface Stepped {
  readonly parameter: Value;
  readonly state: State;
}

export interface Rule {
  readonly optimizer: Optimizer;
  /** Leaves rows without a gradient unchanged: without momentum or weight decay. */
  readonly sparseUpdates: boolean;
  readonly scalars: Scalars;
}

/** Updates a parameter and its optimizer state. */
export function update(rule: Rule, before: Stepped, gradient: Value | RowGradient): Stepped {
  const { optimizer, sparseUpdates, scalars } = rule;
  const { parameter, state } = before;
  if (!('ids' in gradient)) return step(rule, before, gradient);
  const { ids, rows } = gradient;
  const taken = (parts: State): State => mapValues(parts, (part) => gather(part, ids));
  const decaying = optimizer.l2 > 0;
  if (sparseUpdates || !(optimizer.inertia || decaying)) {
    const own = taken(state);
    const moved = step(rule, { parameter: gather(parameter, ids), state: own }, rows);
    return {
      parameter: scatterRows(parameter, ids, moved.parameter),
      state: mapValues(state, (part, name) => scatterRows(part, ids, moved.state[name])),
    };
  }
  if (decaying) return step(rule, before, scatterRows(zerosLike(parameter), ids, rows));
  // Updates every row, but accumulates gradients only for the rows of the batch.
  const decayed = optimizer.decay(state, scalars);
  const fresh = optimizer.accumulate(taken(decayed), rows, scalars);
  const accumulated = mapValues(decayed, (part, name) => scatterRows(part, ids, fresh[name]));
  return { parameter: optimizer.update(parameter, accumulated, undefined, scalars), state: accumulated };
}

function step({ optimizer, scalars }: Rule, { parameter, state }: Stepped, lossGradient: Value): Stepped {
  const gradient = optimizer.l2 > 0 ? add(lossGradient, mul(parameter, optimizer.l2)) : lossGradient;
  const accumulated = optimizer.accumulate(optimizer.decay(state, scalars), gradient, scalars);
  return { parameter: optimizer.update(parameter, accumulated, gradient, scalars), state: accumulated };
}
