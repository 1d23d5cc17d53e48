import type { EChartsType } from 'echarts/core';

/** The visible part of an axis, in percent. */
interface Range {
  readonly start: number;
  readonly end: number;
}

function show(chart: EChartsType, ranges: readonly Range[]): void {
  chart.dispatchAction({
    type: 'dataZoom',
    batch: ranges.map(({ start, end }, dataZoomIndex) => ({ dataZoomIndex, start, end })),
  });
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

/** Centers a point, and zooms in on it. */
export function zoomTo(chart: EChartsType, point: readonly [number, number]): void {
  const option = chart.getOption();
  const axes = [option.xAxis, option.yAxis] as { min: number; max: number }[][];
  show(
    chart,
    axes.map(([{ min, max }], at) => around(((point[at] - min) / (max - min)) * 100, 30)),
  );
}

function around(middle: number, span: number): Range {
  const width = Math.min(100, Math.max(2, span));
  const start = Math.min(100 - width, Math.max(0, middle - width / 2));
  return { start, end: start + width };
}
