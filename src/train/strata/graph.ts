import type { Model } from '../../../graphs/model.ts';
import { UserError } from '../../errors.ts';
import { type EpochGraph, graphOfAnySize } from '../epoch.ts';
import type { Settings } from '../settings.ts';

/**
 * The graph that trains a stratum: the epoch graph for blocks of any size.
 *
 * @throws UserError for a formula that is bound to the numbers of users and items
 */
export function blockGraph(model: Model, settings: Settings): EpochGraph {
  const graph = graphOfAnySize(model, { ...settings, lazy: true });
  if (graph) return graph;
  throw new UserError(
    `the formula of "${model.name}" is made for all its users and items, and cannot be trained in blocks of them; train it with the epoch graph`,
  );
}
