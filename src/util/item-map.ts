/** An item on the map: its x is the first principal component of the factors, its y the second. */
export interface MapPoint<Item> {
  readonly item: Item;
  readonly at: readonly [x: number, y: number];
}

/** A map of items: their factors, projected to two dimensions by principal component analysis. */
export interface ItemMap<Item> {
  /** The best-known item first. */
  readonly points: readonly MapPoint<Item>[];
  /** Number of the first points that are known well enough for their place to be more than noise. */
  readonly known: number;
  /** The share of the variance that each axis explains, 0 to 1. */
  readonly shares: readonly [number, number];
  /** What distinguishes the items at each end, such as a genre or a decade: the clearest first; empty if nothing does. */
  readonly words: Readonly<Record<EndName, readonly string[]>>;
}

/** What is told of an item beside its factors. */
export interface Features {
  readonly genres?: readonly string[] | undefined;
  readonly year?: string | undefined;
}

/** The axes come from so many of the best-known items at most. */
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
 * @param wellKnown number of the first items whose factors are more than noise
 * @returns undefined for fewer than three items, or fewer than two factors per item
 */
export async function itemMap<Item extends { readonly count: number }>(
  items: readonly Item[],
  factors: Factors,
  { wellKnown, featuresOf }: { readonly wellKnown: number; featuresOf(item: Item): Features },
): Promise<ItemMap<Item> | undefined> {
  if (items.length < 3) return undefined;
  const vectors = vectorsOf(factors, items.length);
  if (vectors[0].length < 2) return undefined;
  const known = Math.min(AXES_FROM, wellKnown < 3 ? items.length : wellKnown);
  const { PCA } = await import('ml-pca');
  const pca = new PCA(vectors.slice(0, known), { method: 'covarianceMatrix' });
  // Not by `predict`, which projects to all dimensions before it takes two of them.
  const axes = pca.getEigenvectors().subMatrixColumn([0, 1]).transpose().to2DArray();
  const centers = axes.map((axis) => dot(axis, pca.toJSON().means));
  const rows = vectors.map((vector) => axes.map((axis, at) => dot(axis, vector) - centers[at]));
  // The sign of a component is arbitrary: the better known an item, the further right and up it tends to be.
  const fame = items.slice(0, known).map(({ count }) => Math.log1p(count));
  const [signX, signY] = [0, 1].map((axis) => (correlation(fame, columnOf(rows, axis)) < 0 ? -1 : 1));
  const [across = 0, up = 0] = pca.getExplainedVariance();
  const points = items.map(
    (item, row): MapPoint<Item> => ({
      item,
      at: [rows[row][0] * signX, rows[row][1] * signY],
    }),
  );
  return { points, known, shares: [across, up], words: wordsOf(points.slice(0, known), featuresOf) };
}

const columnOf = (rows: readonly (readonly number[])[], axis: number): number[] =>
  rows.map((row) => row[axis]);

const dot = (one: readonly number[], other: readonly number[]): number =>
  one.reduce((sum, value, at) => sum + value * other[at], 0);

/** How two lists of numbers go together, from −1 to 1; 0 where one does not vary. */
function correlation(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [one, other].map((values) => {
    const mean = one.reduce((sum, _, at) => sum + values[at], 0) / one.length;
    return one.map((_, at) => values[at] - mean);
  });
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}

const MOST_WORDS = 3;
/** A genre or decade of fewer items says nothing about an axis. */
const FEWEST = 5;
/** A weaker correlation says little of a single item. */
const WEAKEST = 0.1;
/** Standard errors from which a correlation is not chance, among dozens of genres and decades. */
const CLEAR = 3;

/** The genres and decades that tell the items at an end of an axis from the others. */
function wordsOf<Item>(
  points: readonly MapPoint<Item>[],
  featuresOf: (item: Item) => Features,
): ItemMap<Item>['words'] {
  const features = points.map(({ item }) => {
    const { genres = [], year } = featuresOf(item);
    return new Set(year === undefined ? genres : [...genres, `${year.slice(0, 3)}0s`]);
  });
  const counts = new Map<string, number>();
  for (const word of features.flatMap((words) => [...words])) counts.set(word, (counts.get(word) ?? 0) + 1);
  const common = [...counts].filter(([, count]) => count >= FEWEST).map(([word]) => word);
  const clear = Math.max(WEAKEST, CLEAR / Math.sqrt(points.length));
  const found = [0, 1].map((axis) => {
    const values = points.map(({ at }) => at[axis]);
    return common.map((word) => ({
      word,
      by: correlation(
        features.map((words) => Number(words.has(word))),
        values,
      ),
    }));
  });
  const towards = (axis: number, sign: number): string[] =>
    found[axis]
      .filter(({ by }) => by * sign > clear)
      .sort((one, other) => (other.by - one.by) * sign)
      .slice(0, MOST_WORDS)
      .map(({ word }) => word);
  return { left: towards(0, -1), right: towards(0, 1), top: towards(1, 1), bottom: towards(1, -1) };
}

export type EndName = 'left' | 'right' | 'top' | 'bottom';

/** An end of the map's axes. */
export interface End {
  readonly name: EndName;
  readonly arrow: string;
  /** How far a point lies in that direction. */
  far(point: MapPoint<unknown>): number;
}

export const ENDS: readonly End[] = [
  { name: 'left', arrow: '←', far: ({ at: [x] }) => -x },
  { name: 'right', arrow: '→', far: ({ at: [x] }) => x },
  { name: 'top', arrow: '↑', far: ({ at: [, y] }) => y },
  { name: 'bottom', arrow: '↓', far: ({ at: [, y] }) => -y },
];

/** The heading of an end, such as `At the left: Comedy, 1990s`. */
export const headingOf = ({ name }: End, { words }: Pick<ItemMap<unknown>, 'words'>): string =>
  `At the ${name}${words[name].length > 0 ? `: ${words[name].join(', ')}` : ''}`;

/** The well-known items that lie furthest towards an end. */
export const furthest = <Item>({ points, known }: ItemMap<Item>, { far }: End, most: number): Item[] =>
  points
    .slice(0, known)
    .sort((one, other) => far(other) - far(one))
    .slice(0, most)
    .map(({ item }) => item);

/** What both pages and documents say of the map. */
export const MAP_TEXTS = {
  heading: 'What each axis separates',
  why: 'Nobody named these directions; the model found them.',
};

/**
 * Items that enough people know for their factors to be more than noise.
 *
 * @param items the best-known item first
 */
export function wellKnownOf<Item extends { readonly count: number }>(
  items: readonly Item[],
): { readonly items: readonly Item[]; readonly least: number } {
  const least = enoughCount(items);
  return { items: items.filter(({ count }) => count >= least), least };
}

/**
 * The number of ratings, or of people who have it, from which an item's factors are more than noise: the highest of 50, 20, 10
 * and 5 that leaves a hundred items, or half of them.
 *
 * @param items the best-known item first
 */
function enoughCount(items: readonly { readonly count: number }[]): number {
  const last = items[Math.min(99, items.length >> 1)];
  return [50, 20, 10, 5].find((least) => (last?.count ?? 0) >= least) ?? 1;
}
