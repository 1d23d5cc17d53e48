import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'preact/hooks';
import { models } from '../../../graphs/models/index.ts';
import { Chart } from '../chart.tsx';
import { DARK, LIGHT, type Palette } from '../palette.ts';
import type { Training } from './use-training.ts';

/** Learning curves of each model: the errors on training ratings, and on held-out ratings. */
export function Curves({ training, dark }: { readonly training: Training; readonly dark: boolean }) {
  const option = useMemo(() => curvesOption(training, dark ? DARK : LIGHT), [training, dark]);
  return (
    <figure class="curves">
      <figcaption>
        <b>Typical error, in rating points</b>
        <span class="note">
          Dashed: on the ratings it learns from. Solid: on ratings it has not seen, which is what counts.
        </span>
      </figcaption>
      <Chart
        class="curves-canvas"
        label="Curves of the errors by epoch; the results below say where they end"
        option={option}
      />
    </figure>
  );
}

function curvesOption({ runs, epochs }: Training, palette: Palette): EChartsCoreOption {
  const text = { color: palette.soft, fontSize: 12 };
  return {
    animation: false,
    grid: { left: 44, right: 16, top: 36, bottom: 44 },
    legend: {
      top: 0,
      left: 0,
      textStyle: text,
      icon: 'path://M0 4h24v4H0z',
      itemWidth: 18,
      itemHeight: 3,
      data: runs.map(({ model }) => models[model].title),
    },
    tooltip: {
      trigger: 'axis',
      backgroundColor: palette.card,
      borderColor: palette.line,
      textStyle: { color: palette.ink, fontSize: 13 },
      valueFormatter: (value: unknown) => (typeof value === 'number' ? value.toFixed(4) : '–'),
    },
    xAxis: {
      type: 'value',
      name: 'epoch',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: text,
      min: 0,
      max: epochs,
      minInterval: 1,
      axisLabel: text,
      axisLine: { lineStyle: { color: palette.line } },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      scale: true,
      axisLabel: { ...text, formatter: (value: number) => value.toFixed(2) },
      splitLine: { lineStyle: { color: palette.line } },
    },
    series: runs.flatMap(({ model, learning, heldOut }, at) => {
      const color = at === 0 ? palette.accent : palette.second;
      const line = { type: 'line', color, showSymbol: learning.length < 100, symbol: 'circle' };
      return [
        { ...line, name: models[model].title, symbolSize: 7, lineStyle: { width: 2.5 }, data: heldOut },
        {
          ...line,
          name: `${models[model].title}, learning`,
          symbolSize: 4,
          lineStyle: { width: 1.5, type: 'dashed' },
          data: learning,
        },
      ];
    }),
  };
}
