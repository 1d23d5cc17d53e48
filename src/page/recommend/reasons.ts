import { vectorsOf } from '../../util/item-map.ts';
import type { ItemRating, Recommender } from '../../web.ts';

/**
 * Why an item is recommended: of the ratings that are at least the person's average, the two whose items are most like
 * it.
 *
 * @returns a list for each recommended item; empty where none is like it
 */
export async function reasonsFor(
  recommender: Recommender,
  recommended: readonly string[],
  ratings: readonly ItemRating[],
): Promise<ItemRating[][]> {
  const mean = ratings.reduce((sum, { rating }) => sum + rating, 0) / ratings.length;
  const liked = ratings.filter(({ rating }) => rating >= mean);
  const ids = [...recommended, ...liked.map(({ item }) => item)];
  const vectors = vectorsOf(await recommender.factors(ids), ids.length);
  return recommended.map((_, at) =>
    liked
      .map((rating, place) => ({ rating, near: cosine(vectors[at], vectors[recommended.length + place]) }))
      .filter(({ near }) => near > 0)
      .sort((a, b) => b.near - a.near)
      .slice(0, 2)
      .map(({ rating }) => rating),
  );
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, at) => sum + value * y[at], 0);
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}
