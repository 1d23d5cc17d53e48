import type { EChartsOption } from 'echarts';
import { svgOf } from '../plot/svg.ts';
import { colours, GRID, line, scatter, xAxis, yAxis } from '../report/figure.ts';
import { html } from '../report/html.ts';
import type { RangeTest } from '../train/find-learning-rate.ts';

const STYLE = `svg { --ink: #1c2024; --soft: #5b636b; --line: #d5d9dd; --page: #fff; --accent: #0b6b63; --second: #b4500f; font-family: system-ui, sans-serif; background: var(--page); }
@media (prefers-color-scheme: dark) { svg { --ink: #e8eaec; --soft: #a2abb3; --line: #3a4147; --page: #16191c; --accent: #63d0c0; --second: #f0a36b; } }`;

const PAGE_STYLE = `:root { color-scheme: light dark; }
body { margin: 0; padding: 1rem; background: light-dark(#fff, #16191c); }
svg { display: block; width: 100%; max-width: 60rem; height: auto; margin: auto; }`;

/** How few digits tell rates apart. */
export const rounded = (rate: number): number => Number(rate.toPrecision(2));

/**
 * From the lowest loss up: where it is much higher than at the beginning, it says no more than that the rate is too high.
 *
 * @returns the lowest and the highest loss that is worth showing
 */
export function lossRange({ smoothed }: RangeTest): [low: number, high: number] {
  const settled = smoothed[Math.floor(smoothed.length / 10)];
  const low = Math.min(...smoothed);
  return [low, low + 2 * (settled - low)];
}

/** The loss against the learning rate, as a SVG that is a file of its own, for light and dark. */
export async function plotOf(test: RangeTest): Promise<string> {
  const { rates, losses, smoothed, suggestion, usual } = test;
  const [low, high] = lossRange(test);
  const points = (values: readonly number[]) => values.map((value, step) => [rates[step], value] as const);
  const within = points(losses).filter(([, loss]) => loss <= high);
  const mark = (rate: number, name: string, color: string, position: 'end' | 'insideStart') => ({
    xAxis: rate,
    lineStyle: { color, type: position === 'end' ? ('solid' as const) : ('dashed' as const), width: 2 },
    label: {
      ...{ formatter: `${name}: ${rounded(rate)}`, color, fontSize: 13, position, rotate: 0 },
      ...(position === 'insideStart' && { offset: [2, -10] }),
    },
  });
  const option: EChartsOption = {
    textStyle: { fontFamily: 'inherit' },
    grid: { ...GRID, top: 32, right: 32 },
    xAxis: {
      ...xAxis('learning rate'),
      type: 'log',
      min: rates[0],
      max: rates[rates.length - 1],
      axisLabel: { ...xAxis('').axisLabel, ...LABELS },
    },
    yAxis: {
      ...yAxis('loss'),
      type: 'value',
      min: Math.max(0, low - (high - low) / 4),
      max: high,
      axisLabel: { ...yAxis('').axisLabel, ...LABELS },
    },
    series: [
      scatter(
        within.map((at) => ({ at, size: 3 })),
        0.25,
      ),
      {
        ...line('smoothed', points(smoothed).slice(Math.floor(rates.length / 10)), { color: colours.ink }),
        markLine: {
          silent: true,
          symbol: 'none',
          precision: 15,
          data: [
            mark(suggestion, 'suggested', colours.accent, 'end'),
            mark(usual, 'default', colours.second, 'insideStart'),
          ],
        },
      },
    ],
  };
  const svg = await svgOf(option, { width: 720, height: 400 });
  const label = `Loss against learning rate; ${rounded(suggestion)} is suggested`;
  return svg.replace(/<svg ([^>]*)>/, (_, attributes) =>
    html`<svg role="img" aria-label="${label}" `.markup.concat(`${attributes}><style>${STYLE}</style>`),
  );
}

/** None where an axis is cut off; and ECharts' own may be 0.09999999999999999. */
const LABELS = {
  showMinLabel: false,
  showMaxLabel: false,
  formatter: (value: number) => String(Number(value.toPrecision(6))),
};

/** A page with a plot in it. */
export const pageOf = (svg: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Learning rates</title>
<style>${PAGE_STYLE}</style>
${svg}
</html>
`;
