import type { Model, ModelDefinition } from '../../../graphs/models/model.ts';
import type { BlockCounts } from '../../data/dataset/strata.ts';
import type { Given } from '../../util/choices.ts';
import type { OptimizerName } from '../step/optimizers/index.ts';
import type { Optimizer } from '../step/optimizers/optimizer.ts';
import type { Schedule, ScheduleName } from '../step/schedules.ts';
import type { trainingChoices } from './choices.ts';
import type { EngineName } from './engines.ts';
import type { Named } from './named.ts';

interface Decided {
  readonly batchSize: number;
  readonly sparseUpdates: boolean;
  /** By what the loss is multiplied, where the optimizer takes the gradient of its sum over a batch. */
  readonly lossScale?: number;
  readonly engine: EngineName;
  /** By strata: how many blocks of users and of items there are. */
  readonly blocks?: BlockCounts;
  readonly workers?: number;
  readonly optimizer: Named<OptimizerName>;
  readonly schedule: Named<ScheduleName>;
}

/** Choices that are told by what `resolve` decides. */
type Absorbed = 'model' | 'learningRate' | 'weightDecay' | keyof Decided;

/** How a model is trained, all choices made; plain JSON. Any other choice of the table is kept as it is. */
export type TrainingPlan = Omit<Given<typeof trainingChoices>, Absorbed> & Decided;

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
