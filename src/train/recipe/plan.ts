import type { Model, ModelDefinition } from '../../../graphs/models/model.ts';
import type { BlockCounts } from '../../data/dataset/strata.ts';
import type { LossName } from '../step/losses.ts';
import type { OptimizerName } from '../step/optimizers/index.ts';
import type { Optimizer } from '../step/optimizers/optimizer.ts';
import type { Schedule, ScheduleName } from '../step/schedules.ts';
import type { EngineName } from './engines.ts';
import type { Named } from './named.ts';

/** How a model is trained, all choices made; plain JSON. */
export interface TrainingPlan {
  readonly epochs: number;
  readonly batch: number;
  readonly loss: LossName;
  /** Update only the batch's rows of user and item tables, instead of all rows at every step. */
  readonly lazy: boolean;
  readonly seed: number;
  readonly patience?: number;
  /** By what the loss is multiplied, where the optimizer takes the gradient of its sum over a batch. */
  readonly lossScale?: number;
  readonly engine: EngineName;
  /** By strata: how many blocks of users and of items there are. */
  readonly blocks?: BlockCounts;
  readonly workers?: number;
  readonly optimizer: Named<OptimizerName>;
  readonly schedule: Named<ScheduleName>;
}

/** Every choice made: the manifest and the checkpoint keep it. */
export interface Plan {
  readonly model: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  readonly training: TrainingPlan;
}

/** A plan, and what its names stand for. */
export interface Resolved {
  readonly plan: Plan;
  readonly definition: ModelDefinition;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
}
