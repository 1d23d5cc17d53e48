import type { EChartsOption } from 'echarts';

/**
 * Draws a chart as SVG text, without a browser. Colours may be any CSS, such as `var(--ink)`, if the SVG is used in a page.
 */
export async function svgOf(
  option: EChartsOption,
  { width = 720, height = 360 }: { readonly width?: number; readonly height?: number } = {},
): Promise<string> {
  // Imported here because it loads slowly.
  const { init } = await import('echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...option });
    return withoutMarks(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** Removes ECharts' attributes for scripts, and its style sheet, which would make the chart look clickable. */
function withoutMarks(svg: string): string {
  // Text cannot match, because ECharts escapes its quotes and brackets.
  return svg
    .replace(/<style\b.*?<\/style>/s, '')
    .replace(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, '');
}
