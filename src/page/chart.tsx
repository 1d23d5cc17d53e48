import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useRef, useState } from 'preact/hooks';

interface Props {
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  readonly class: string;
  readonly option: EChartsCoreOption;
  onReady?(chart: EChartsType): void;
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** A chart by ECharts, which is fetched when the first one is shown. */
export function Chart({ label, class: name, option, onReady }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<EChartsType>();

  useEffect(() => {
    const element = place.current as HTMLDivElement;
    let made: EChartsType | undefined;
    let gone = false;
    const resized = new ResizeObserver(() => {
      // A view that is not shown has no size.
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
    chart?.setOption({ animation: !calm.matches, ...option }, { replaceMerge: ['series'] });
  }, [chart, option]);

  return <div class={name} role="img" aria-label={label} ref={place} />;
}
