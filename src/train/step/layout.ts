import type { Dropout, Model } from '../../../graphs/models/model.ts';
import { type Dim, input, type Value } from '../../onnx/index.ts';
import type { Loss } from './losses.ts';
import type { Optimizer, Scalars } from './optimizers/optimizer.ts';
import { tablesOf } from './tables.ts';

export interface StepOptions {
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  /** Update only the batch's rows of user and item tables, instead of all rows at every step. */
  readonly sparseUpdates: boolean;
  /** By what the loss is multiplied, where the optimizer takes the gradient of its sum over a batch. @default 1 */
  readonly lossScale?: number;
}

/** How parameters and their state lie in the loop of training, and how a step moves them. */
export interface Layout {
  /** Inputs of the graph, called as `carriedDims` says. */
  readonly carried: readonly Value[];
  readonly state: readonly Value[];
  /** @returns what goes on to the next step, and the mean loss of this one */
  step(
    state: readonly Value[],
    batch: Batch,
    scalars: Scalars,
    dropout: Dropout,
  ): { readonly values: readonly Value[]; readonly error: Value };
  /** What the last step left of each of `carried`, by its name. */
  results(state: readonly Value[]): readonly (readonly [name: string, value: Value])[];
}

/** Rows and ratings of one step: int64[batch], int64[batch], float[batch]. */
export interface Batch {
  readonly user: Value;
  readonly item: Value;
  readonly actual: Value;
}

/** `user_factors.mean`: the name of a part of a parameter's optimizer state; without one, that of the parameter. */
export const stateName = (parameter: string, state: string): string =>
  state ? `${parameter}.${state}` : parameter;

/** The names of all that goes from epoch to epoch, in order, and their shapes. */
export function carriedDims<Size extends Dim>(
  model: Model<Size>,
  { byRow, state }: Pick<Optimizer, 'byRow' | 'state'>,
): Record<string, readonly Size[]> {
  // A row of several parameters has one state, called by the first.
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
