import type { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import type { ExportOptions } from '../../src/train/artifact.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { lowRank } from '../support/low-rank.ts';

/** Text that does harm where it is not escaped, as markup, as an attribute, as a template or as ECharts' rich text. */
export const HOSTILE = `</text></svg><script>alert(1)</script><img src=x onerror="alert(2)">'"&amp;{a|b}\${c}$&`;

/** Ratings to train on, and others to judge by; ids and titles may be hostile. */
export const { train: known, valid: held } = randomSplit(lowRank({ users: 60, items: 40 }), 0.2, 1);

export async function trained(
  recipe: Recipe = {},
  options: ExportOptions & { readonly ratings?: Ratings; readonly valid?: Ratings } = {},
): Promise<Recommender> {
  const { ratings = known, valid, ...kept } = options;
  const model = await train(ratings, { factors: 3, epochs: 4, ...recipe }, { valid });
  return model.recommender(kept);
}

/** The text of a page, as a reader sees it. */
export const textOf = (page: string): string =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    .replace(/\s+/g, ' ');
