/** An item on the map: its x is the first principal component of the factors, its y the second. */
export interface MapPoint<Item> {
  readonly item: Item;
  readonly at: readonly [x: number, y: number];
}

/** A map of items: their factors, projected to two dimensions by principal component analysis. */
export interface ItemMap<Item> {
  readonly points: readonly MapPoint<Item>[];
  /** The share of the variance that each axis explains, 0 to 1. */
  readonly shares: readonly [number, number];
}

/** The axes come from the best-known items: the factors of items that few people know are mostly noise. */
const AXES_FROM = 2000;

/** Item parameters by name; each has one row per item. */
type Factors = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>;

/** Each item's factors without its biases: its rows of all tables, concatenated. */
export function vectorsOf(factors: Factors, items: number): number[][] {
  const tables = Object.values(factors).filter(({ dims }) => dims.length === 2);
  return Array.from({ length: items }, (_, row) =>
    tables.flatMap(({ dims: [, width], data }) => Array.from(data.subarray(row * width, (row + 1) * width))),
  );
}

/**
 * Makes a map of items.
 *
 * @param items the best-known item first
 * @returns undefined for fewer than three items, or fewer than two factors per item
 */
export async function itemMap<Item>(
  items: readonly Item[],
  factors: Factors,
): Promise<ItemMap<Item> | undefined> {
  if (items.length < 3) return undefined;
  const vectors = vectorsOf(factors, items.length);
  if (vectors[0].length < 2) return undefined;
  const { PCA } = await import('ml-pca');
  const pca = new PCA(vectors.slice(0, AXES_FROM), { method: 'covarianceMatrix' });
  // Not by `predict`, which projects to all dimensions before it takes two of them.
  const axes = pca.getEigenvectors().subMatrixColumn([0, 1]).transpose().to2DArray();
  const centers = axes.map((axis) => dot(axis, pca.toJSON().means));
  const rows = vectors.map((vector) => axes.map((axis, at) => dot(axis, vector) - centers[at]));
  // The sign of a component is arbitrary, so the best-known item is always right of the center and above it.
  const [signX, signY] = rows[0].map((value) => Math.sign(value) || 1);
  const [across = 0, up = 0] = pca.getExplainedVariance();
  return {
    points: items.map((item, row) => ({ item, at: [rows[row][0] * signX, rows[row][1] * signY] })),
    shares: [across, up],
  };
}

const dot = (one: readonly number[], other: readonly number[]): number =>
  one.reduce((sum, value, at) => sum + value * other[at], 0);

/** The ends of the map's axes, and how far a point lies in that direction. */
export const ENDS: readonly {
  readonly name: string;
  readonly arrow: string;
  far(point: MapPoint<unknown>): number;
}[] = [
  { name: 'At the left', arrow: '←', far: ({ at: [x] }) => -x },
  { name: 'At the right', arrow: '→', far: ({ at: [x] }) => x },
  { name: 'At the top', arrow: '↑', far: ({ at: [, y] }) => y },
  { name: 'At the bottom', arrow: '↓', far: ({ at: [, y] }) => -y },
];

/** The items that lie furthest towards an end. */
export const furthest = <Item>(
  points: readonly MapPoint<Item>[],
  { far }: (typeof ENDS)[number],
  most: number,
): Item[] =>
  points
    .toSorted((one, other) => far(other) - far(one))
    .slice(0, most)
    .map(({ item }) => item);

/**
 * The number of ratings, or of people who have it, from which an item's factors are more than noise: the highest of 50, 20, 10
 * and 5 that leaves a hundred items, or half of them.
 *
 * @param items the best-known item first
 */
export function enoughCount(items: readonly { readonly count: number }[]): number {
  const last = items[Math.min(99, items.length >> 1)];
  return [50, 20, 10, 5].find((least) => (last?.count ?? 0) >= least) ?? 1;
}
