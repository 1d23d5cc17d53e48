/** A map of items: their factors in the plane that shows most of what tells them apart. */

/** An item, and where it lies: to the right along the first principal component, and up along the second. */
export interface Place<Item> {
  readonly item: Item;
  readonly at: readonly [x: number, y: number];
}

export interface ItemMap<Item> {
  readonly places: readonly Place<Item>[];
  /** How much of the variance each axis shows, 0 to 1. */
  readonly shares: readonly [number, number];
}

/** Items with few ratings have learned little: they would blur the axes. */
const AXES_FROM = 2000;

/** The parameters of items, by name; each holds one row an item. */
type Factors = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>;

/** All that a model has learned of each item, but for biases: an item's rows of all tables, end to end. */
export function vectorsOf(factors: Factors, items: number): number[][] {
  const tables = Object.values(factors).filter(({ dims }) => dims.length === 2);
  return Array.from({ length: items }, (_, row) =>
    tables.flatMap(({ dims: [, width], data }) => [...data.subarray(row * width, (row + 1) * width)]),
  );
}

/**
 * @param items the most rated first
 * @returns undefined for fewer than three items, or fewer than two factors an item
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
  const rows = pca.predict(vectors, { nComponents: 2 }).to2DArray();
  // A component may as well point the other way: the most rated item is always at the right and at the top.
  const [signX, signY] = rows[0].map((value) => Math.sign(value) || 1);
  const [across = 0, up = 0] = pca.getExplainedVariance();
  return {
    places: items.map((item, row) => ({ item, at: [rows[row][0] * signX, rows[row][1] * signY] })),
    shares: [across, up],
  };
}

/** The ends of a map's axes, and how far a place lies that way. */
export const ENDS: readonly {
  readonly name: string;
  readonly arrow: string;
  far(place: Place<unknown>): number;
}[] = [
  { name: 'At the left', arrow: '←', far: ({ at: [x] }) => -x },
  { name: 'At the right', arrow: '→', far: ({ at: [x] }) => x },
  { name: 'At the top', arrow: '↑', far: ({ at: [, y] }) => y },
  { name: 'At the bottom', arrow: '↓', far: ({ at: [, y] }) => -y },
];

/** The items furthest out at an end. */
export const furthest = <Item>(
  places: readonly Place<Item>[],
  { far }: (typeof ENDS)[number],
  most: number,
): Item[] =>
  places
    .toSorted((one, other) => far(other) - far(one))
    .slice(0, most)
    .map(({ item }) => item);

/**
 * The ratings that an item must have for its numbers to mean something: as many as leave a hundred items, or half.
 *
 * @param items the most rated first
 */
export function enoughRatings(items: readonly { readonly ratings: number }[]): number {
  const last = items[Math.min(99, items.length >> 1)];
  return [50, 20, 10, 5].find((least) => (last?.ratings ?? 0) >= least) ?? 1;
}
