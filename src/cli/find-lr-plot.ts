import type { EChartsOption } from 'echarts';
import { colours, GRID, line, scatter, xAxis, yAxis } from '../document/figure.ts';
import { Html, html, pageOf as page } from '../document/html.ts';
import { svgOf } from '../document/svg.ts';
import { DARK, FONT, LIGHT, variables } from '../style/palette.ts';
import type { PartRangeTest, RangeTest } from '../train/find-learning-rate.ts';

const STYLE = `svg { ${variables(LIGHT)} font-family: ${FONT.replaceAll('"', "'")}; background: var(--page); }
@media (prefers-color-scheme: dark) { svg { ${variables(DARK)} } }`;

/** Rounds a learning rate to two digits. */
export const rounded = (rate: number): number => Number(rate.toPrecision(2));

/**
 * The range of losses to show. Losses far above the first ones are cut off, because they only show that the rate is too
 * high.
 */
export function lossRange({ smoothed }: PartRangeTest): [low: number, high: number] {
  const settled = smoothed[Math.floor(smoothed.length / 10)];
  const low = Math.min(...smoothed);
  return [low, low + 2 * (settled - low)];
}

const [WIDTH, HEIGHT] = [720, 400];

/**
 * A chart of the loss by learning rate, as a standalone SVG for light and dark mode; with two tests, two charts one below the
 * other.
 */
export async function plotOf({ ranking, ...test }: RangeTest): Promise<string> {
  if (!ranking) return chartOf(test);
  const [one, other] = [await chartOf(test, ' of predicting ratings'), await chartOf(ranking, ' of ranking')];
  const below = other.replace('<svg ', `<svg y="${HEIGHT}" `);
  const size = `width="${WIDTH}" height="${2 * HEIGHT}" viewBox="0 0 ${WIDTH} ${2 * HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${one}${below}</svg>`;
}

async function chartOf(test: PartRangeTest, of = ''): Promise<string> {
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
    grid: { ...GRID, top: 32, right: 32 },
    xAxis: xAxis(`learning rate${of}`, {
      type: 'log',
      min: rates[0],
      max: rates[rates.length - 1],
      axisLabel: LABELS,
    }),
    yAxis: yAxis('loss', { min: Math.max(0, low - (high - low) / 4), max: high, axisLabel: LABELS }),
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
  const svg = await svgOf(option, { width: WIDTH, height: HEIGHT });
  const label = `Loss against learning rate${of}; ${rounded(suggestion)} is suggested`;
  return svg.replace(/<svg ([^>]*)>/, (_, attributes) =>
    html`<svg role="img" aria-label="${label}" `.markup.concat(`${attributes}><style>${STYLE}</style>`),
  );
}

/** No labels at the ends of an axis. Numbers are rounded, because ECharts may write 0.09999999999999999. */
const LABELS = {
  showMinLabel: false,
  showMaxLabel: false,
  formatter: (value: number) => String(Number(value.toPrecision(6))),
};

export const pageOf = (svg: string): string => page('Learning rates', new Html(svg));
