import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { FONT } from '../style/palette.ts';

interface Props {
  /** Text alternative of the chart. */
  readonly label: string;
  readonly class: string;
  readonly option: EChartsCoreOption;
  onReady?(chart: EChartsType): void;
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Width of a sheet of A4 within its margins, in pixels. */
const PAPER = 680;

/** Draws a chart at once in another size. */
function fit(chart: EChartsType | undefined, size: Parameters<EChartsType['resize']>[0]): void {
  if (!chart || chart.getWidth() === 0) return;
  chart.resize(size);
  chart.getZr().flush();
}

/** A chart by ECharts. ECharts is downloaded when the first chart is shown. */
export function Chart({ label, class: name, option, onReady }: Props) {
  const canvas = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<EChartsType>();

  useEffect(() => {
    const element = canvas.current as HTMLDivElement;
    let made: EChartsType | undefined;
    let gone = false;
    let printing = false;
    const resized = new ResizeObserver(() => {
      // A hidden view has no size.
      if (element.clientWidth > 0 && !printing) made?.resize();
    });
    // Room on a sheet of paper.
    const before = (): void => {
      printing = true;
      fit(made, { width: PAPER, height: made?.getHeight() });
    };
    const after = (): void => {
      printing = false;
      fit(made, { width: 'auto', height: 'auto' });
    };
    addEventListener('beforeprint', before);
    addEventListener('afterprint', after);
    void import('./charts.ts').then(({ init }) => {
      if (gone) return;
      made = init(element);
      resized.observe(element);
      setChart(made);
      onReady?.(made);
    });
    return () => {
      gone = true;
      resized.disconnect();
      removeEventListener('beforeprint', before);
      removeEventListener('afterprint', after);
      made?.dispose();
    };
  }, []);

  // Before the browser draws, or prints.
  useLayoutEffect(() => {
    chart?.setOption(
      { animation: !calm.matches, textStyle: { fontFamily: FONT }, ...option },
      { replaceMerge: ['series'] },
    );
  }, [chart, option]);

  return <div class={name} role="img" aria-label={label} ref={canvas} />;
}
