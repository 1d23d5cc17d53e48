import type { EChartsType } from 'echarts/core';

/** The visible part of an axis, in percent. */
interface Range {
  readonly start: number;
  readonly end: number;
}

type Point = readonly [x: number, y: number];
type Extent = readonly [low: number, high: number];

function show(chart: EChartsType, ranges: readonly Range[]): void {
  chart.dispatchAction({
    type: 'dataZoom',
    batch: ranges.map(({ start, end }, dataZoomIndex) => ({ dataZoomIndex, start, end })),
  });
}

/** What both axes have, whether it is seen or not. */
function extentsOf(chart: EChartsType): [Extent, Extent] {
  const { xAxis, yAxis } = chart.getOption() as Record<string, { min: number; max: number }[]>;
  const extent = ([{ min, max }]: { min: number; max: number }[]): Extent => [min, max];
  return [extent(xAxis), extent(yAxis)];
}

/** What is seen of both axes. */
export function seenIn(chart: EChartsType): [Extent, Extent] {
  const zooms = chart.getOption().dataZoom as Range[];
  const seen = ([low, high]: Extent, { start, end }: Range): Extent => [
    low + ((high - low) * start) / 100,
    low + ((high - low) * end) / 100,
  ];
  const [across, up] = extentsOf(chart);
  return [seen(across, zooms[0]), seen(up, zooms[1])];
}

/** @param factor below 1 zooms in */
export function zoomBy(chart: EChartsType, factor: number): void {
  const seen = chart.getOption().dataZoom as Range[];
  show(
    chart,
    seen.map(({ start, end }) => around((start + end) / 2, (end - start) * factor)),
  );
}

export const showAll = (chart: EChartsType): void => show(chart, Array(2).fill({ start: 0, end: 100 }));

/** Zooms in on a point and those that are near it. */
export function zoomTo(chart: EChartsType, point: Point, points: readonly Point[]): void {
  show(chart, neighborhood(point, points, extentsOf(chart)));
}

const NEIGHBORS = 40;

/** The part of a map with a point and those nearest to it, which fill it to its edges. */
export function neighborhood(
  point: Point,
  points: readonly Point[],
  extents: readonly [Extent, Extent],
): [Range, Range] {
  const percents = ([x, y]: Point): Point => [percent(x, extents[0]), percent(y, extents[1])];
  const middle = percents(point);
  const near = points
    .map(percents)
    .sort((one, other) => distance(one, middle) - distance(other, middle))
    .slice(0, NEIGHBORS);
  const range = (axis: 0 | 1): Range => {
    const values = [middle, ...near].map((one) => one[axis]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return around((low + high) / 2, (high - low) * 1.2);
  };
  return [range(0), range(1)];
}

const percent = (value: number, [low, high]: Extent): number => ((value - low) / (high - low)) * 100;

const distance = (one: Point, other: Point): number => Math.hypot(one[0] - other[0], one[1] - other[1]);

function around(middle: number, span: number): Range {
  const width = Math.min(100, Math.max(2, span));
  const start = Math.min(100 - width, Math.max(0, middle - width / 2));
  return { start, end: start + width };
}
