import type { LegendComponentOption, XAXisComponentOption, YAXisComponentOption } from 'echarts';
import type { Palette } from './palette.ts';

/** What charts need of a palette. */
export type ChartColours = Pick<Palette, 'ink' | 'soft' | 'line' | 'card'>;

/** Room around a chart for its axes. */
export const GRID = { left: 54, right: 16, top: 16, bottom: 46 };

/** Room above a chart for a legend. */
export const LEGEND_GRID = { ...GRID, top: 40 };

/** Texts, axes, legends and tooltips, alike in all charts. */
export function chartStyle({ ink, soft, line, card }: ChartColours) {
  const text = { fontSize: 12, color: soft };
  const axis = {
    type: 'value',
    nameLocation: 'middle',
    nameTextStyle: text,
    axisLine: { show: true, lineStyle: { color: line } },
    axisTick: { show: false },
    splitLine: { show: false },
  };
  const label = { ...text, hideOverlap: true };
  return {
    text,
    /** A horizontal axis; of numbers, by default. */
    xAxis: (name: string, { axisLabel, ...options }: XAXisComponentOption = {}) =>
      ({
        ...axis,
        name,
        nameGap: 28,
        ...options,
        axisLabel: { ...label, ...axisLabel },
      }) as XAXisComponentOption,
    yAxis: (name: string, { axisLabel, ...options }: YAXisComponentOption = {}) =>
      ({
        ...axis,
        name,
        nameGap: 40,
        axisLine: axis.splitLine,
        splitLine: axis.axisLine,
        ...options,
        axisLabel: { ...label, ...axisLabel },
      }) as YAXisComponentOption,
    legend: (names: readonly string[]): LegendComponentOption => ({
      data: [...names],
      top: 0,
      left: 0,
      itemWidth: 22,
      itemGap: 32,
      textStyle: { ...text, color: ink },
    }),
    tooltip: {
      backgroundColor: card,
      borderColor: line,
      textStyle: { fontSize: 13, color: ink },
    },
  };
}
