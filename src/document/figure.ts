import type { EChartsOption } from 'echarts';
import { chartStyle } from '../style/chart.ts';
import { VARIABLES as colours } from '../style/palette.ts';
import { Html, html } from './html.ts';
import { svgOf } from './svg.ts';

export { GRID, LEGEND_GRID } from '../style/chart.ts';
export { colours };
export const { xAxis, yAxis, legend } = chartStyle(colours);

/** Small enough that text is still readable on a phone. */
const SIZE = { width: 440, height: 280 };

export interface Chart {
  /** Text alternative, for people who do not see it. */
  readonly label: string;
  readonly option: EChartsOption;
  readonly size?: { readonly width: number; readonly height: number };
  readonly class?: string;
}

/** An SVG for use in HTML. */
export async function chartOf({ label, option, size = SIZE, class: name }: Chart): Promise<Html> {
  const svg = await svgOf(option, size);
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
