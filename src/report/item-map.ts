import { isSolved } from '../../graphs/models/index.ts';
import { type Chart, chartOf, colours, scatter } from '../document/figure.ts';
import { type Html, html, missing } from '../document/html.ts';
import type { Item, Recommender } from '../recommend/recommender.ts';
import { labelStyle, labelsOf, mapFrame, rangeOf, roughWidth } from '../style/item-map.ts';
import { percent, plural } from '../util/format.ts';
import { ENDS, furthest, headingOf, type ItemMap, itemMap, MAP_TEXTS } from '../util/item-map.ts';
import { shortened } from '../util/titles.ts';
import { knownItems, readable, titled } from './known-items.ts';
import { WORDS } from './words.ts';

/** So many of the best-known items are on the map. */
const MOST = 2000;
const AT_ENDS = 6;

export async function mapSection(recommender: Recommender): Promise<Html> {
  const known = knownItems(recommender);
  const isRated = recommender.kind === 'ratings';
  const items = known.items.slice(0, MOST);
  const map =
    recommender.heads.includes('factors') && items.length > 0
      ? await itemMap(items, await recommender.factors(items.map(({ item }) => item)), {
          wellKnown: items.length,
          featuresOf: ({ item, genres }) => ({ genres, year: readable(recommender, item).year }),
        })
      : undefined;
  if (!map)
    return missing(
      isSolved(recommender.artifact.manifest.model.name)
        ? 'There is no map, because the model has weights between items, and no factors.'
        : 'There is no map: the model has fewer than two factors per item, or too few items.',
    );
  const [across, up] = map.shares.map(percent);
  const label =
    'A map of items by the first principal component of their factors, to the right, and the second, upwards. The lists below have the items at its ends';
  const ends = Math.min(AT_ENDS, items.length >> 1);
  return html`<figure class="map">
<figcaption><b>Items by their factors</b> Each circle is an item; the more ${isRated ? 'ratings it has' : 'users have it'}, the larger it is. The same
people ${isRated ? 'like' : 'have'} items that are near each other. The factors have more dimensions than a page. These two, their principal
components, explain ${across} (left to right) and ${up} (bottom to top) of the variance between items. The map is made from
${plural(items.length, 'item')} ${WORDS[recommender.kind].atLeast(known.least)}; the best known are drawn.</figcaption>
${await chartOf({ ...drawn(recommender, map, 350, WIDE), label, class: 'wide' })}
${await chartOf({ ...drawn(recommender, map, 100, NARROW), label, class: 'narrow' })}
</figure>
<h3>${MAP_TEXTS.heading}</h3>
<p>${MAP_TEXTS.why} People who ${isRated ? 'like' : 'have'} one item of a list tend to
${isRated ? 'like' : 'have'} the others, and tend not to ${isRated ? 'like' : 'have'} those at the opposite end.</p>
<div class="ends">${ENDS.map(
    (end) => html`<div>
<h4><span aria-hidden="true">${end.arrow}</span> ${headingOf(end, map)}</h4>
<ol>${furthest(map, end, ends).map(({ item }) => html`<li>${titled(recommender, item)}</li>`)}</ol>
</div>`,
  )}</div>`;
}

const WIDE = { width: 900, height: 600 };
const NARROW = { width: 360, height: 440 };

function drawn(
  recommender: Recommender,
  { points, words }: ItemMap<Item>,
  most: number,
  size: { readonly width: number; readonly height: number },
): Omit<Chart, 'label'> {
  const largest = points[0].item.count;
  const dots = points.slice(0, most).map(({ item: { item, count }, at }) => ({
    at,
    size: 4 + 12 * Math.sqrt(count / largest),
    name: shortened(readable(recommender, item).name, 28),
  }));
  const seen = [rangeOf(dots.map(({ at: [x] }) => x)), rangeOf(dots.map(({ at: [, y] }) => y))] as const;
  return {
    size,
    option: {
      ...mapFrame(words, seen, colours),
      series: [
        scatter(
          dots.map(({ at, size }) => ({ at, size })),
          0.5,
        ),
        {
          ...scatter([], 0),
          data: labelsOf({ words, size: [size.width, size.height], seen, dots, widthOf: roughWidth }),
          label: labelStyle(colours),
        },
      ],
    },
  };
}
