import type { Manifest } from '../artifact/manifest.ts';

/** What a model was trained for: to predict ratings, to rank items, or one model for each. */
export type Trained = 'rating' | 'ranking' | 'both';

/** What a model was trained for. Manifests of older formats do not say it: there were ratings alone. */
export function objectiveOf(manifest: Manifest): Trained {
  const { objective } = { ...manifest.training, ...manifest } as { objective?: unknown };
  return objective === 'ranking' || objective === 'both' ? objective : 'rating';
}
