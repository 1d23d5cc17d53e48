import type { ChartColours } from './chart.ts';
import { DISTANCE, type Dot, placeLabels, type Side } from './labels.ts';

type Range = readonly [low: number, high: number];

/** What an axis shows: the values, and some room at its ends. */
export function rangeOf(values: readonly number[]): Range {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low) * 0.06 || 1;
  return [low - room, high + room];
}

/** Room for the words of the axes. */
const MARGIN = 26;
const WORD_SIZE = 12;

type Words = Readonly<Record<Side, readonly string[]>>;

const hasWords = (words: Words): boolean => Object.values(words).some(({ length }) => length > 0);

const gridOf = (words: Words) => {
  const margin = hasWords(words) ? MARGIN : 8;
  return { left: margin, right: margin, top: margin, bottom: margin };
};

/** The axes of a map of items, with words for their ends. */
export function mapFrame(words: Words, ranges: readonly [Range, Range], colours: ChartColours) {
  const axis = ([min, max]: Range) => ({
    type: 'value' as const,
    min,
    max,
    axisLabel: { show: false },
    axisTick: { show: false },
    splitLine: { show: false },
    axisLine: { show: true, onZero: true, lineStyle: { color: colours.line } },
  });
  const word = (side: Side, place: object) => ({
    type: 'text' as const,
    id: side,
    ...place,
    silent: true,
    style: { text: words[side].join(' · '), fontSize: WORD_SIZE, fontWeight: 600, fill: colours.soft },
  });
  const room = (MARGIN - WORD_SIZE) / 2;
  return {
    grid: gridOf(words),
    xAxis: axis(ranges[0]),
    yAxis: axis(ranges[1]),
    graphic: [
      word('left', { left: room, top: 'middle', rotation: Math.PI / 2 }),
      word('right', { right: room, top: 'middle', rotation: -Math.PI / 2 }),
      word('top', { left: 'center', top: room }),
      word('bottom', { left: 'center', bottom: room }),
    ],
  };
}

const LABEL_SIZE = 11;
const LABEL_HEIGHT = 14;
/** Pixels of the map for each label. */
const ROOM_OF_LABEL = 8000;

/** The look of labels. */
export const labelStyle = ({ ink, card }: ChartColours) => ({
  show: true,
  distance: DISTANCE,
  fontSize: LABEL_SIZE,
  color: ink,
  opacity: 1,
  textBorderColor: card,
  textBorderWidth: 3,
  formatter: ({ name }: { name: string }) => name,
});

/** The font of labels, to measure their texts. */
export const labelFont = (family: string): string => `${LABEL_SIZE}px ${family}`;

/** The width of a text where nothing can measure it: that of a wide font. */
export const roughWidth = (text: string): number =>
  [...text].reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) < 0x1100 ? 0.63 : 1.05), 0) *
  LABEL_SIZE;

/** A point to draw: its place, its diameter in pixels, and its label, if it is to have one. */
export interface MapDot {
  readonly at: readonly [x: number, y: number];
  readonly size: number;
  readonly name?: string;
}

interface LabelledMap {
  readonly words: Words;
  /** Width and height of the chart, in pixels. */
  readonly size: readonly [number, number];
  /** What is seen of each axis. */
  readonly seen: readonly [Range, Range];
  /** The first to have a label comes first. */
  readonly dots: readonly MapDot[];
  widthOf(text: string): number;
}

/** Data of a series that has nothing but labels, none of which covers a dot or another label. */
export function labelsOf({ words, size: [width, height], seen, dots, widthOf }: LabelledMap) {
  const grid = gridOf(words);
  const within = { left: grid.left, right: width - grid.right, top: grid.top, bottom: height - grid.bottom };
  const part = (value: number, [low, high]: Range): number => (value - low) / (high - low);
  const pixels = dots.map(
    ({ at: [x, y], size }): Dot => ({
      x: within.left + part(x, seen[0]) * (within.right - within.left),
      y: within.bottom - part(y, seen[1]) * (within.bottom - within.top),
      radius: size / 2,
    }),
  );
  const inSight = ({ x, y }: Dot): boolean =>
    x >= within.left && x <= within.right && y >= within.top && y <= within.bottom;
  const placed = placeLabels({
    dots: pixels,
    within,
    most: Math.floor((width * height) / ROOM_OF_LABEL),
    height: LABEL_HEIGHT,
    widthOf(dot) {
      const { name } = dots[dot];
      return name === undefined || !inSight(pixels[dot]) ? undefined : widthOf(name);
    },
  });
  return [...placed].map(([dot, position]) => ({
    value: [...dots[dot].at],
    name: dots[dot].name,
    symbolSize: dots[dot].size,
    label: { position },
  }));
}
