import type { PageItem, PageModel } from '../models/page-model.ts';
import { vectorsOf } from '../recommend/reasons.ts';

export interface MapPoint {
  readonly item: PageItem;
  readonly x: number;
  readonly y: number;
}

/** All items in the plane that shows most of what tells them apart. */
export interface ItemMap {
  /** The most rated first. */
  readonly points: readonly MapPoint[];
  /** How much of the variance each axis shows, 0 to 1. */
  readonly shares: readonly [number, number];
}

/** Items with few ratings have learned little: they would blur the axes. */
const AXES_FROM = 2000;

/** @returns undefined where items have no two factors to draw */
export async function itemMap(model: PageModel): Promise<ItemMap | undefined> {
  const { items } = model;
  if (items.length < 3) return undefined;
  const factors = await (await model.with('factors')).factors(items.map(({ id }) => id));
  const vectors = vectorsOf(factors, items.length).map((vector) => Array.from(vector));
  if (vectors[0].length < 2) return undefined;
  const { PCA } = await import('ml-pca');
  const pca = new PCA(vectors.slice(0, AXES_FROM), { method: 'covarianceMatrix' });
  const places = pca.predict(vectors, { nComponents: 2 }).to2DArray();
  // A component may as well point the other way: the best known item is always at the right and at the top.
  const [signX, signY] = places[0].map((value) => Math.sign(value) || 1);
  const [across = 0, up = 0] = pca.getExplainedVariance();
  return {
    points: items.map((item, row) => ({ item, x: places[row][0] * signX, y: places[row][1] * signY })),
    shares: [across, up],
  };
}

/** The well-known items furthest out at each end of both axes. */
export function ends({ points }: ItemMap, least: number, most = 5) {
  const known = points.filter(({ item }) => item.ratings >= least);
  const furthest = (far: (point: MapPoint) => number): PageItem[] =>
    [...known]
      .sort((a, b) => far(b) - far(a))
      .slice(0, most)
      .map(({ item }) => item);
  return {
    left: furthest(({ x }) => -x),
    right: furthest(({ x }) => x),
    top: furthest(({ y }) => y),
    bottom: furthest(({ y }) => -y),
  };
}
