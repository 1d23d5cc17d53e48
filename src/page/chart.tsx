import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import { FONT } from '../style/palette.ts';

interface Props {
  /** Text alternative of the chart. */
  readonly label: string;
  readonly class: string;
  readonly option: EChartsCoreOption;
  onReady?(chart: EChartsType): void;
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** A chart by ECharts. ECharts is downloaded when the first chart is shown. */
export function Chart({ label, class: name, option, onReady }: Props) {
  const canvas = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<EChartsType>();

  useEffect(() => {
    const element = canvas.current as HTMLDivElement;
    let made: EChartsType | undefined;
    let gone = false;
    const resized = new ResizeObserver(() => {
      // A hidden view has no size.
      if (element.clientWidth > 0) made?.resize();
    });
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
      made?.dispose();
    };
  }, []);

  useEffect(() => {
    chart?.setOption(
      { animation: !calm.matches, textStyle: { fontFamily: FONT }, ...option },
      { replaceMerge: ['series'] },
    );
  }, [chart, option]);

  return <div class={name} role="img" aria-label={label} ref={canvas} />;
}
