import type { Item, Recommender } from '../recommend/recommender.ts';
import { type Chart, chartOf, colours, namesWithin, scatter } from './figure.ts';
import { percent, plural } from './format.ts';
import { type Html, html } from './html.ts';
import { knownItems, titled, titleOf } from './known-items.ts';
import { missing, type Section } from './section.ts';

interface Place {
  readonly item: Item;
  /** Along the first component, and along the second. */
  readonly at: readonly [number, number];
}

interface ItemMap {
  /** The most rated first. */
  readonly places: readonly Place[];
  /** How much of the variance each component has, 0 to 1. */
  readonly shares: readonly [number, number];
}

/** Principal components are those of so many most rated items. */
const MOST = 2000;
/** Items at each end. */
const ENDS = 6;

/** The items in a plane, and what is at the ends of its axes. */
export async function mapSection(recommender: Recommender): Promise<Section> {
  const section = { id: 'map', title: 'The map of items' };
  const { items, least } = knownItems(recommender);
  const map = recommender.heads.includes('factors')
    ? await itemMap(recommender, items.slice(0, MOST))
    : undefined;
  if (!map)
    return {
      ...section,
      body: missing(
        'There is nothing to draw: the model has fewer than two factors an item, or too few items.',
      ),
    };
  const [across, up] = map.shares.map(percent);
  const label = `A map of items, the first principal component of their factors to the right and the second upwards; the lists below say what is at its ends`;
  const body = html`<figure class="map">
<figcaption><b>Items by what the model learned of them</b> Each circle is an item, the larger the more ratings it has;
items near each other please the same people. The model has more directions than a page: these two, the principal
components of the factors, hold ${across} (left to right) and ${up} (bottom to top) of what tells the items apart.
${plural(map.places.length, 'item')} with at least ${plural(least, 'rating')} make the map; the most rated are drawn.</figcaption>
${await chartOf({ ...drawn(recommender, map, 350, WIDE), label, class: 'wide' })}
${await chartOf({ ...drawn(recommender, map, 100, NARROW), label, class: 'narrow' })}
</figure>
<h3>What each axis separates</h3>
<p>Nobody named these directions. The model found them: people who like one item of a list tend to like the others, and to
care less for those at the opposite end.</p>
<div class="ends">${ENDS_OF_AXES.map(
    ([name, arrow, far]) => html`<div>
<h4><span aria-hidden="true">${arrow}</span> ${name}</h4>
${list(recommender, furthest(map, far))}
</div>`,
  )}</div>`;
  return { ...section, body };
}

const ENDS_OF_AXES: readonly (readonly [string, string, (place: Place) => number])[] = [
  ['At the left', '←', ({ at: [x] }) => -x],
  ['At the right', '→', ({ at: [x] }) => x],
  ['At the top', '↑', ({ at: [, y] }) => y],
  ['At the bottom', '↓', ({ at: [, y] }) => -y],
];

function furthest({ places }: ItemMap, far: (place: Place) => number): Place[] {
  const most = Math.min(ENDS, places.length >> 1);
  return [...places].sort((one, other) => far(other) - far(one)).slice(0, most);
}

const list = (recommender: Recommender, places: readonly Place[]): Html =>
  html`<ol>${places.map(({ item }) => html`<li>${titled(recommender, item.item)}</li>`)}</ol>`;

async function itemMap(recommender: Recommender, items: readonly Item[]): Promise<ItemMap | undefined> {
  if (items.length < 3) return undefined;
  const tables = Object.values(await recommender.factors(items.map(({ item }) => item))).filter(
    ({ dims }) => dims.length === 2,
  );
  const vectors = items.map((_, row) =>
    tables.flatMap(({ dims: [, width], data }) => [...data.subarray(row * width, (row + 1) * width)]),
  );
  if (vectors[0].length < 2) return undefined;
  const { PCA } = await import('ml-pca');
  const pca = new PCA(vectors, { method: 'covarianceMatrix' });
  const places = pca.predict(vectors, { nComponents: 2 }).to2DArray();
  // A component may as well point the other way: the most rated item is always at the right and at the top.
  const [signX, signY] = places[0].map((value) => Math.sign(value) || 1);
  const [across = 0, up = 0] = pca.getExplainedVariance();
  return {
    places: items.map((item, row) => ({ item, at: [places[row][0] * signX, places[row][1] * signY] })),
    shares: [across, up],
  };
}

const WIDE = { width: 900, height: 600 };
const NARROW = { width: 360, height: 440 };

function drawn(
  recommender: Recommender,
  map: ItemMap,
  most: number,
  size: { readonly width: number; readonly height: number },
): Omit<Chart, 'label'> {
  const places = map.places.slice(0, most);
  const ratings = places[0].item.ratings;
  const axis = (component: 0 | 1) => {
    const values = places.map(({ at }) => at[component]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = (high - low) * 0.06;
    return {
      type: 'value' as const,
      min: low - room,
      max: high + room,
      axisLabel: { show: false },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLine: { show: true, onZero: true, lineStyle: { color: colours.line } },
    };
  };
  return {
    size,
    option: {
      grid: { left: 8, right: 8, top: 8, bottom: 8 },
      xAxis: axis(0),
      yAxis: axis(1),
      series: [
        {
          ...scatter(
            places.map(({ item, at }) => ({
              at,
              size: 4 + 12 * Math.sqrt(item.ratings / ratings),
              name: shortened(titleOf(recommender, item.item)),
            })),
            0.5,
          ),
          ...namesWithin(size.width),
        },
      ],
    },
  };
}

const shortened = (title: string): string =>
  [...title].length > 28 ? `${[...title].slice(0, 26).join('').trimEnd()}…` : title;
