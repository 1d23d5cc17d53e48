import type { EChartsOption } from 'echarts';

/** Draws a chart as SVG text, without a browser. */
export async function svgOf(
  option: EChartsOption,
  { width = 720, height = 360 }: { readonly width?: number; readonly height?: number } = {},
): Promise<string> {
  // Loaded where something is drawn: it takes a while.
  const { init } = await import('echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
