import type { Positives } from '../data/dataset/positives.ts';

/** λ where the recipe does not say; docs/decisions.md has the figures. */
export function regularizationOf(positives: Positives): number {
  void positives;
  return 300;
}
