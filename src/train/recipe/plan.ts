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
  /** Factor of the loss, for an optimizer that uses the gradient of the sum over a batch. */
  readonly lossScale?: number;
  readonly engine: EngineName;
  /** Number of blocks of users and of items, for training by strata. */
  readonly blocks?: BlockCounts;
  /** Number of threads, for training by strata. */
  readonly workers?: number;
  readonly optimizer: Named<OptimizerName>;
  readonly schedule: Named<ScheduleName>;
}

/** Choices that are part of what `resolve` decides. */
type Absorbed = 'model' | 'learningRate' | 'weightDecay' | keyof Decided;

/** All choices of a training, as plain JSON. */
export type TrainingPlan = Omit<Given<typeof trainingChoices>, Absorbed> & Decided;

/** A recipe with all choices made. It is in the manifest and in the checkpoint. */
export interface Plan {
  readonly model: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  readonly training: TrainingPlan;
}

/** A plan, with the model, the optimizer and the schedule that it names. */
export interface Resolved {
  readonly plan: Plan;
  readonly definition: ModelDefinition;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
}
