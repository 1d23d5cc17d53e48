import type { RankingPart } from '../../graphs/heads/serving.ts';
import type { Positives } from '../data/dataset/positives.ts';
import type { ModelFile } from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';
import type { TrainingRanker } from './parameters/score.ts';
import type { EpochRecord, PartMetrics } from './progress.ts';
import type { Plan, RankingPlan, SolvedPlan } from './recipe/plan.ts';
import type { reductionOf } from './recipe/resolve-ranking.ts';

/** A model that ranks, however it was made. */
export interface FittedRanking {
  readonly plan: Plan<RankingPlan | SolvedPlan>;
  /** One record of each epoch; of a model in closed form, a single one. */
  readonly history: readonly EpochRecord[];
  readonly metrics: PartMetrics;
  readonly positives: Positives;
  /** What its files are made of. */
  readonly serving: RankingPart;
  /** Ranks by row. */
  ranker(runtime: Runtime): Promise<TrainingRanker>;
  /** The graph that trains such a model elsewhere; absent for a model in closed form. */
  graph?(): ModelFile;
  /** What it has less of, because of the size of the data; absent if it has all. */
  readonly reduction?: ReturnType<typeof reductionOf>;
}
