import type { ItemRating, Recommender } from '../../web.ts';

type Factors = Awaited<ReturnType<Recommender['factors']>>;

/** All that a model has learned of each item, but for biases: an item's rows of all tables, end to end. */
export function vectorsOf(factors: Factors, items: number): Float32Array[] {
  const tables = Object.values(factors).filter(({ dims }) => dims.length === 2);
  return Array.from({ length: items }, (_, row) =>
    Float32Array.from(
      tables.flatMap(({ dims: [, width], data }) => [...data.subarray(row * width, (row + 1) * width)]),
    ),
  );
}

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

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, value, at) => sum + value * y[at], 0);
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}
