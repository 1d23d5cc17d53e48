import type { RankingSettings } from '../../../graphs/models/built-in.ts';
import type { Model, ModelDefinition, Range } from '../../../graphs/models/model.ts';
import type { Weighting } from '../../data/dataset/positives.ts';
import type { BlockCounts } from '../../data/dataset/strata.ts';
import type { Given } from '../../util/choices.ts';
import type { OptimizerName } from '../step/optimizers/index.ts';
import type { Optimizer } from '../step/optimizers/optimizer.ts';
import type { Schedule, ScheduleName } from '../step/schedules.ts';
import type { trainingChoices } from './choices.ts';
import type { EngineName } from './engines.ts';
import type { Named } from './named.ts';

interface Decided {
  readonly epochs: number;
  readonly batchSize: number;
  readonly sparseUpdates: boolean;
  /** Factor of the loss, for an optimizer that uses the gradient of the sum over a batch. */
  readonly lossScale?: number;
  readonly engine: EngineName;
  /** Number of blocks of users and of items, for training by strata. */
  readonly blocks?: BlockCounts;
  readonly optimizer: Named<OptimizerName>;
  readonly schedule: Named<ScheduleName>;
}

/** Choices that are part of what is decided, or of the plan of the other objective. */
type Absorbed =
  | ('model' | 'objective' | 'learningRate' | 'weightDecay' | keyof Decided)
  | (
      | 'positive'
      | 'weights'
      | 'rankingFactors'
      | 'rankingEpochs'
      | 'rankingLearningRate'
      | 'usersPerStep'
      | 'negatives'
    );

/** All choices of a training that predicts ratings, as plain JSON. */
export type RatingPlan = Omit<Given<typeof trainingChoices>, Absorbed> &
  Decided & { readonly objective: 'rating' };

/** All choices of a ranking that is computed in closed form, as plain JSON. */
export interface SolvedPlan {
  readonly objective: 'ranking';
  /** The lowest rating that counts as a positive, or all. */
  readonly positive: number | 'all';
  /** How the strengths of interactions weigh; absent for ratings. */
  readonly weights?: Weighting | undefined;
}

/** All choices of a training that learns to rank by gradients, as plain JSON. */
export interface RankingPlan
  extends SolvedPlan,
    Pick<RankingSettings, 'epochs' | 'userRate' | 'userDecay' | 'itemDecay'> {
  readonly seed: number;
  readonly patience?: number | undefined;
  readonly usersPerStep: number;
  /** Number of groups of users that are trained side by side. Default: users are trained one step after the other */
  readonly shards?: number | undefined;
  /** Number of sampled items of a step, or all. */
  readonly negatives: number | 'all';
  readonly optimizer: Named<OptimizerName>;
  readonly schedule: Named<ScheduleName>;
}

/** A recipe with all choices made for one objective. It is in the manifest and in the checkpoint. */
export interface Plan<Training = RatingPlan | RankingPlan | SolvedPlan> {
  readonly model: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  readonly training: Training;
}

/** A plan, with the model, the optimizer and the schedule that it names. */
export interface Resolved<Training = RatingPlan> {
  readonly plan: Plan<Training>;
  readonly definition: ModelDefinition;
  readonly model: Model;
  /** What predicted ratings are clipped to. Default: they are not clipped */
  readonly clip?: Range | undefined;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
}
