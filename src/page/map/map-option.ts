import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { chartStyle } from '../../style/chart.ts';
import { labelFont, labelStyle, labelsOf, type MapDot, mapFrame, rangeOf } from '../../style/item-map.ts';
import { FONT, type Palette } from '../../style/palette.ts';
import { decimal } from '../../util/format.ts';
import type { ItemMap, MapPoint } from '../../util/item-map.ts';
import { shortened } from '../../util/titles.ts';
import { genreOf, OTHER } from '../genres.ts';
import type { PageItem } from '../models/page-model.ts';
import type { Words } from '../models/words.ts';
import { seenIn } from './zoom.ts';

export interface Drawing {
  readonly map: ItemMap<PageItem>;
  readonly words: Words;
  /** Number of items to draw, the best known first. */
  readonly shown: number;
  readonly genres: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly highlighted: PageItem | undefined;
  readonly palette: Palette;
}

type Drawn = { readonly value: MapPoint<PageItem>['at']; readonly item: PageItem };

const FOUND_SIZE = 20;
const NAMES = 'names';

export function mapOption(drawing: Drawing): EChartsCoreOption {
  const { map, words, shown, genres, highlighted, palette } = drawing;
  const points = map.points.slice(0, shown);
  const visible = visibleOf(drawing);
  const marked = map.points.find(({ item }) => item === highlighted);
  const ranges = [
    rangeOf(points.map(({ at: [x] }) => x)),
    rangeOf(points.map(({ at: [, y] }) => y)),
  ] as const;
  return {
    ...mapFrame(map.words, ranges, palette),
    dataZoom: [
      { type: 'inside', xAxisIndex: 0, filterMode: 'none', minSpan: 2 },
      { type: 'inside', yAxisIndex: 0, filterMode: 'none', minSpan: 2 },
    ],
    tooltip: {
      ...chartStyle(palette).tooltip,
      confine: true,
      formatter: ({ data }: { data: Drawn }) => description(data.item, words),
    },
    series: [
      ...[...genres, OTHER].map((genre, at) => ({
        type: 'scatter',
        id: genre,
        itemStyle: {
          color: genres.length === 0 ? palette.accent : (palette.genres[at] ?? palette.other),
          opacity: shown > 1000 ? 0.6 : 0.75,
        },
        emphasis: { itemStyle: { opacity: 1, borderColor: palette.ink, borderWidth: 1.5 } },
        symbolSize: (_: unknown, { data }: { data: Drawn }) => sizeOf(map, data.item),
        data: visible
          .filter(({ item }) => (genres.length === 0 ? OTHER : genreOf(item, genres)) === genre)
          .map(({ at, item }): Drawn => ({ value: at, item })),
        animation: false,
      })),
      {
        type: 'scatter',
        id: 'found',
        symbolSize: FOUND_SIZE,
        itemStyle: { color: 'transparent', borderColor: palette.ink, borderWidth: 2.5 },
        data: marked ? [{ value: marked.at, item: marked.item }] : [],
        animation: false,
        z: 4,
      },
      {
        type: 'scatter',
        id: NAMES,
        silent: true,
        itemStyle: { color: 'transparent' },
        label: labelStyle(palette),
        data: [],
        animation: false,
        z: 5,
      },
    ],
  };
}

const visibleOf = ({ map, shown, genres, hidden }: Drawing): readonly MapPoint<PageItem>[] =>
  map.points.slice(0, shown).filter(({ item }) => !hidden.has(genreOf(item, genres)));

const sizeOf = ({ points }: ItemMap<PageItem>, { count }: PageItem): number =>
  4 + 11 * Math.sqrt(count / Math.max(1, points[0].item.count));

const measure = document.createElement('canvas').getContext('2d');

function widthOf(text: string): number {
  if (!measure) return 0;
  measure.font = labelFont(FONT);
  return measure.measureText(text).width;
}

/** Names the items that are seen, where there is room. */
export function nameItems(chart: EChartsType, drawing: Drawing): void {
  const { map, highlighted } = drawing;
  const dotOf = ({ at, item }: MapPoint<PageItem>): MapDot => ({
    at,
    size: item === highlighted ? FOUND_SIZE : sizeOf(map, item),
    name: shortened(item.name, 28),
  });
  const visible = visibleOf(drawing);
  const found = map.points.filter(({ item }) => item === highlighted);
  const data = labelsOf({
    words: map.words,
    size: [chart.getWidth(), chart.getHeight()],
    seen: seenIn(chart),
    dots: [...found, ...visible.filter(({ item }) => item !== highlighted)].map(dotOf),
    widthOf,
  });
  chart.setOption({ series: [{ id: NAMES, data }] });
}

/** An element, not markup, because a title may contain any characters. */
function description({ title, genres, average, count }: PageItem, { known }: Words): HTMLElement {
  const element = document.createElement('div');
  const line = (text: string, bold = false): void => {
    const part = document.createElement(bold ? 'strong' : 'div');
    part.textContent = text;
    element.append(part);
  };
  line(title, true);
  if (genres.length > 0) line(genres.join(' · '));
  line(
    average === undefined || count === 0 ? known(count) : `average ${decimal(average)} of ${known(count)}`,
  );
  element.className = 'map-tooltip';
  return element;
}
