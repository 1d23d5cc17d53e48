import type { Positives } from '../data/dataset/positives.ts';

/**
 * λ where the recipe does not say, from how much lists overlap by chance: with c the number of users of an item, and n the number
 * of items of a user, ρ = Σc² Σn² / pairs³ is how many items of a typical list a typical pair of users shares, if users chose by
 * popularity alone. Power and factor were about best on held-out parts of the training parts of eleven data sets;
 * docs/decisions.md has the figures.
 */
export function regularizationOf({ starts, counts }: Pick<Positives, 'starts' | 'counts'>): number {
  const pairs = starts[starts.length - 1];
  const ofItems = counts.reduce((sum, count) => sum + count ** 2, 0);
  let ofUsers = 0;
  for (let user = 0; user + 1 < starts.length; user++) ofUsers += (starts[user + 1] - starts[user]) ** 2;
  const overlap = ((ofItems / pairs) * (ofUsers / pairs)) / pairs;
  return Number((940 * overlap ** 0.75).toPrecision(3));
}
