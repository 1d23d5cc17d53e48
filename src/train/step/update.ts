import { add, gather, mul, scatterRows, type Value, zerosLike } from '../../onnx/index.ts';
import { mapValues } from '../../util/map-values.ts';
import type { Optimizer, Scalars, State } from './optimizers.ts';
import type { RowGradient } from './row-gradients.ts';

export interface Updated {
  readonly parameter: Value;
  readonly state: State;
}

/**
 * One step of an optimizer on one parameter.
 *
 * @param lazy leave rows that have no gradient as they are, momentum and weight decay included
 */
export function update(
  optimizer: Optimizer,
  lazy: boolean,
  parameter: Value,
  state: State,
  gradient: Value | RowGradient,
  scalars: Scalars,
): Updated {
  if (!('ids' in gradient)) return step(optimizer, parameter, state, gradient, scalars);
  const { ids, rows } = gradient;
  const decaying = optimizer.l2 > 0;
  if (lazy || !(optimizer.inertia || decaying)) {
    const taken = mapValues(state, (part) => gather(part, ids));
    const moved = step(optimizer, gather(parameter, ids), taken, rows, scalars);
    return {
      parameter: scatterRows(parameter, ids, moved.parameter),
      state: mapValues(state, (part, name) => scatterRows(part, ids, moved.state[name])),
    };
  }
  if (decaying) {
    return step(optimizer, parameter, state, scatterRows(zerosLike(parameter), ids, rows), scalars);
  }
  // Every row moves, but only the batch's rows have a gradient to accumulate.
  const decayed = optimizer.decay(state, scalars);
  const fresh = optimizer.accumulate(
    mapValues(decayed, (part) => gather(part, ids)),
    rows,
    scalars,
  );
  const accumulated = mapValues(decayed, (part, name) => scatterRows(part, ids, fresh[name]));
  return { parameter: optimizer.update(parameter, accumulated, undefined, scalars), state: accumulated };
}

function step(optimizer: Optimizer, parameter: Value, state: State, slope: Value, scalars: Scalars): Updated {
  const gradient = optimizer.l2 > 0 ? add(slope, mul(parameter, optimizer.l2)) : slope;
  const accumulated = optimizer.accumulate(optimizer.decay(state, scalars), gradient, scalars);
  return { parameter: optimizer.update(parameter, accumulated, gradient, scalars), state: accumulated };
}
