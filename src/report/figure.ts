import type { EChartsOption, XAXisComponentOption, YAXisComponentOption } from 'echarts';
import { svgOf } from '../plot/svg.ts';
import { Html, html } from './html.ts';

/** Colours of charts: variables of the style sheet, so that the same SVG works in light, in dark and on paper. */
export const colours = {
  ink: 'var(--ink)',
  soft: 'var(--soft)',
  line: 'var(--line)',
  ground: 'var(--page)',
  accent: 'var(--accent)',
  second: 'var(--second)',
};

/** Small enough that text is still readable on a phone. */
const SIZE = { width: 440, height: 280 };

const FONT = { fontFamily: 'inherit', fontSize: 12, color: colours.soft };

export interface Chart {
  /** Text alternative, for people who do not see it. */
  readonly label: string;
  readonly option: EChartsOption;
  readonly size?: { readonly width: number; readonly height: number };
  readonly class?: string;
}

/** An SVG for use in HTML. */
export async function chartOf({ label, option, size = SIZE, class: name }: Chart): Promise<Html> {
  const svg = await svgOf({ textStyle: FONT, ...option }, size);
  const { markup } = html`<svg role="img" aria-label="${label}"${name && html` class="${name}"`} `;
  return new Html(svg.replace(/<svg /, () => markup));
}

export interface Figure extends Chart {
  readonly title: string;
  readonly caption: Html | string;
  readonly table: Html;
}

export async function figure({ title, caption, table, ...chart }: Figure): Promise<Html> {
  return html`<figure>
<figcaption><b>${title}</b> ${caption}</figcaption>
${await chartOf(chart)}
<details><summary>The numbers<span class="unseen">: ${title}</span></summary>${table}</details>
</figure>`;
}

export const GRID = { left: 54, right: 16, top: 16, bottom: 46 };

const AXIS = {
  type: 'value',
  nameLocation: 'middle',
  nameTextStyle: FONT,
  axisLine: { show: true, lineStyle: { color: colours.line } },
  axisTick: { show: false },
  splitLine: { show: false },
};
const AXIS_LABEL = { ...FONT, hideOverlap: true };

/** An axis; of numbers, by default. */
export const xAxis = (name: string, { axisLabel, ...options }: XAXisComponentOption = {}) =>
  ({
    ...AXIS,
    name,
    nameGap: 28,
    ...options,
    axisLabel: { ...AXIS_LABEL, ...axisLabel },
  }) as XAXisComponentOption;

export const yAxis = (name: string, { axisLabel, ...options }: YAXisComponentOption = {}) =>
  ({
    ...AXIS,
    name,
    nameGap: 40,
    axisLine: AXIS.splitLine,
    splitLine: AXIS.axisLine,
    ...options,
    axisLabel: { ...AXIS_LABEL, ...axisLabel },
  }) as YAXisComponentOption;

export const legend = (names: readonly string[]) => ({
  data: [...names],
  top: 0,
  left: 0,
  itemWidth: 22,
  itemGap: 24,
  textStyle: { ...FONT, color: colours.ink },
});

const STILL = { silent: true, emphasis: { disabled: true } };

export interface LineStyle {
  readonly color: string;
  readonly dashed?: boolean;
  readonly width?: number;
  readonly symbols?: boolean;
}

export const line = (
  name: string,
  data: readonly (readonly [number, number])[],
  { color, dashed = false, width = 2, symbols = false }: LineStyle,
) => ({
  ...STILL,
  type: 'line' as const,
  name,
  color,
  data: data.map((point) => [...point]),
  symbol: symbols ? 'circle' : 'none',
  symbolSize: 6,
  // Also for the legend.
  itemStyle: { color, borderColor: color, opacity: symbols ? 1 : 0 },
  lineStyle: { color, width, type: dashed ? ('dashed' as const) : ('solid' as const) },
});

export const bars = (data: readonly number[], color = colours.accent) => ({
  ...STILL,
  type: 'bar' as const,
  data: [...data],
  barCategoryGap: '25%',
  itemStyle: { color },
});

export interface Point {
  readonly at: readonly [x: number | string, y: number];
  /** Diameter in pixels. */
  readonly size: number;
  readonly name?: string;
}

export const scatter = (points: readonly Point[], opacity: number) => ({
  ...STILL,
  type: 'scatter' as const,
  itemStyle: { color: colours.accent, opacity },
  data: points.map(({ at, size, name }) => ({ value: [...at], symbolSize: size, name })),
});

const EDGE = 8;

/** Labels for points of a scatter, if there is room in a chart of this width. */
export const namesWithin = (chartWidth: number) => ({
  label: {
    ...FONT,
    show: true,
    fontSize: 11,
    color: colours.ink,
    opacity: 1,
    textBorderColor: colours.ground,
    textBorderWidth: 3,
    position: 'top' as const,
    distance: 2,
    // Room for a font that is wider than estimated, and to show which circle a label belongs to.
    minMargin: 24,
    formatter: ({ name }: { name: string }) => name,
  },
  labelLayout: ({ labelRect: { x, width } }: { labelRect: { x: number; width: number } }) => ({
    hideOverlap: true,
    dx: Math.max(0, EDGE - x) + Math.min(0, chartWidth - EDGE - x - width),
  }),
});
