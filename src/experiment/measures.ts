import type { Objective } from '../../graphs/models/model.ts';
import type { ValidMetrics } from '../train/progress.ts';

/** What the models of an objective are judged by. */
export interface Measure {
  readonly key: 'rmse' | 'ndcg';
  readonly title: string;
  /** 1 if lower is better, −1 if higher is. */
  readonly sign: 1 | -1;
}

export const MEASURES: Readonly<Record<Objective, Measure>> = {
  rating: { key: 'rmse', title: 'RMSE', sign: 1 },
  ranking: { key: 'ndcg', title: 'NDCG@10', sign: -1 },
};

/** The measure of a model's first objective, with a sign by which lower is better; infinite if there is none. */
export const errorOf = ({ rmse, ndcg }: ValidMetrics): number => rmse ?? -(ndcg ?? Number.NEGATIVE_INFINITY);
