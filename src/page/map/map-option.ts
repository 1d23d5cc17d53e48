import type { EChartsCoreOption } from 'echarts/core';
import { chartStyle } from '../../style/chart.ts';
import type { Palette } from '../../style/palette.ts';
import { decimal } from '../../util/format.ts';
import type { ItemMap, MapPoint } from '../../util/item-map.ts';
import { genreOf, OTHER } from '../genres.ts';
import type { PageItem } from '../models/page-model.ts';
import type { Words } from '../models/words.ts';

interface Choices {
  readonly map: ItemMap<PageItem>;
  readonly words: Words;
  /** Number of items to draw, the best known first. */
  readonly shown: number;
  readonly genres: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly highlighted: PageItem | undefined;
  readonly palette: Palette;
}

/** At most so many items have labels, if there is room. */
const NAMED = 250;

type Drawn = { readonly value: MapPoint<PageItem>['at']; readonly item: PageItem };

export function mapOption(choices: Choices): EChartsCoreOption {
  const { map, words, shown, genres, hidden, highlighted, palette } = choices;
  const points = map.points.slice(0, shown);
  const visible = points.filter(({ item }) => !hidden.has(genreOf(item, genres)));
  const most = Math.max(1, points[0].item.count);
  const marked = map.points.find(({ item }) => item === highlighted);
  const axis = (values: number[]) => ({
    type: 'value',
    min: Math.min(...values) * 1.12,
    max: Math.max(...values) * 1.12,
    axisLabel: { show: false },
    axisTick: { show: false },
    axisLine: { show: true, onZero: true, lineStyle: { color: palette.line } },
    splitLine: { show: false },
  });
  return {
    grid: { left: 0, right: 0, top: 0, bottom: 0 },
    xAxis: axis(points.map(({ at: [x] }) => x)),
    yAxis: axis(points.map(({ at: [, y] }) => y)),
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
        name: genre,
        itemStyle: {
          color: genres.length === 0 ? palette.accent : (palette.genres[at] ?? palette.other),
          opacity: shown > 1000 ? 0.6 : 0.75,
        },
        emphasis: { itemStyle: { opacity: 1, borderColor: palette.ink, borderWidth: 1.5 } },
        symbolSize: (_: unknown, { data }: { data: Drawn }) => 4 + 11 * Math.sqrt(data.item.count / most),
        data: visible
          .filter(({ item }) => (genres.length === 0 ? OTHER : genreOf(item, genres)) === genre)
          .map(drawn),
        animation: false,
      })),
      {
        type: 'scatter',
        name: 'names',
        silent: true,
        symbolSize: 8,
        itemStyle: { color: 'transparent' },
        // Padding around a label keeps other labels away.
        label: { ...nameLabel(palette, 11), padding: [5, 14] },
        labelLayout: { hideOverlap: true },
        data: visible
          .slice(0, NAMED)
          .filter((point) => point !== marked)
          .map(drawn),
        animation: false,
        z: 3,
      },
      {
        type: 'scatter',
        name: 'found',
        symbolSize: 20,
        itemStyle: { color: 'transparent', borderColor: palette.ink, borderWidth: 2.5 },
        label: { ...nameLabel(palette, 13), fontWeight: 'bold' },
        data: marked ? [drawn(marked)] : [],
        z: 4,
      },
    ],
  };
}

const drawn = ({ at, item }: MapPoint<PageItem>): Drawn => ({ value: at, item });

const nameLabel = (palette: Palette, fontSize: number) => ({
  show: true,
  position: 'top',
  distance: 2,
  fontSize,
  color: palette.ink,
  textBorderColor: palette.card,
  textBorderWidth: 3,
  formatter: ({ data }: { data: Drawn }) => shortened(data.item.name),
});

const shortened = (name: string): string => (name.length > 26 ? `${name.slice(0, 24).trimEnd()}…` : name);

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
