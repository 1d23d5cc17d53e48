import type { EChartsOption } from 'echarts';

/**
 * Draws a chart as SVG text, without a browser. Colours may be any CSS, such as `var(--ink)`, for an SVG that stands in a
 * page.
 */
export async function svgOf(
  option: EChartsOption,
  { width = 720, height = 360 }: { readonly width?: number; readonly height?: number } = {},
): Promise<string> {
  // Loaded where something is drawn: it takes a while.
  const { init } = await import('echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    return withoutMarks(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** Without what a script in the page would need, and without a style sheet that would make it look clickable. */
function withoutMarks(svg: string): string {
  // Text cannot be mistaken for these: ECharts escapes its quotes and brackets.
  return svg
    .replace(/<style\b.*?<\/style>/s, '')
    .replace(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, '');
}
