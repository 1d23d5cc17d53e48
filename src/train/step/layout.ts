import type { Dropout, Model } from '../../../graphs/models/model.ts';
import { type Dim, input, type Value } from '../../onnx/index.ts';
import type { Loss } from './losses.ts';
import type { Optimizer, Scalars } from './optimizers/optimizer.ts';
import { tablesOf } from './tables.ts';

export interface StepOptions {
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  /** Updates only the rows of the batch in user and item tables, not all rows. */
  readonly sparseUpdates: boolean;
  /** Factor of the loss, for an optimizer that uses the gradient of the sum over a batch. @default 1 */
  readonly lossScale?: number;
}

/** The form of parameters and optimizer state in the training loop, and the step that updates them. */
export interface Layout {
  /** Inputs of the graph, with the names of `carriedDims`. */
  readonly carried: readonly Value[];
  /** The initial state of the loop. */
  readonly state: readonly Value[];
  /** @returns the state after the step, and its mean loss */
  step(
    state: readonly Value[],
    batch: Batch,
    scalars: Scalars,
    dropout: Dropout,
  ): { readonly values: readonly Value[]; readonly error: Value };
  /** The values of `carried` after the last step, by name. */
  results(state: readonly Value[]): readonly (readonly [name: string, value: Value])[];
}

/** Rows and ratings of one step: int64[batch], int64[batch], float[batch]. */
export interface Batch {
  readonly user: Value;
  readonly item: Value;
  readonly actual: Value;
}

/** Name of a part of a parameter's optimizer state, such as `user_factors.mean`; of the parameter itself for ''. */
export const stateName = (parameter: string, state: string): string =>
  state ? `${parameter}.${state}` : parameter;

/** Names and shapes of all parameters and their optimizer state, in order. */
export function carriedDims<Size extends Dim>(
  model: Model<Size>,
  { byRow, state }: Pick<Optimizer, 'byRow' | 'state'>,
): Record<string, readonly Size[]> {
  // Parameters whose rows share one state name it after the first of them.
  const firsts = byRow ? tablesOf(model).map(([first]) => first) : Object.keys(model.parameters);
  return Object.fromEntries(
    Object.entries(model.parameters).flatMap(([name, { dims }]) => [
      [name, dims] as const,
      ...(firsts.includes(name) ? state : []).map(
        (part) => [stateName(name, part), byRow ? dims.slice(0, 1) : dims] as const,
      ),
    ]),
  );
}

export const carriedInputs = (model: Model<Dim>, optimizer: Optimizer): Value[] =>
  Object.entries(carriedDims(model, optimizer)).map(([name, dims]) => input(name, 'float', dims));
