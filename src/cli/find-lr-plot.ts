import type { EChartsOption } from 'echarts';
import {
  type Chart,
  chartOf,
  colours,
  LEGEND_GRID,
  legend,
  line,
  scatter,
  xAxis,
  yAxis,
} from '../document/figure.ts';
import { headerOf, html, pageOf as page } from '../document/html.ts';
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
  if (!ranking) return standalone(test);
  const [one, other] = [await standalone(test), await standalone(ranking, true)];
  const below = other.replace('<svg ', `<svg y="${HEIGHT}" `);
  const size = `width="${WIDTH}" height="${2 * HEIGHT}" viewBox="0 0 ${WIDTH} ${2 * HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${one}${below}</svg>`;
}

async function standalone(test: PartRangeTest, isSecond = false): Promise<string> {
  const { markup } = await chartOf({ ...chart(test), size: { width: WIDTH, height: HEIGHT } });
  // One style sheet is enough for two charts in a picture.
  return isSecond ? markup : markup.replace(/<svg [^>]*>/, (start) => `${start}<style>${STYLE}</style>`);
}

const TITLES = { rating: 'Predicting ratings', ranking: 'Ranking' };

/** A page with the same charts. */
export async function pageOf({ ranking, ...test }: RangeTest): Promise<string> {
  const figures = [test, ...(ranking ? [ranking] : [])].map(async (part) => {
    const { objective, suggestion, usual } = part;
    return html`<figure><figcaption><b>${TITLES[objective]}</b> Suggested: ${rounded(suggestion)}, a tenth of the rate at which the loss
stops falling. Default: ${rounded(usual)}.</figcaption>${await chartOf(chart(part))}</figure>`;
  });
  const lead =
    'Training while the learning rate rises, until the loss grows. A suggestion is a starting point, because the test only sees the training loss.';
  return page(
    'Learning rates',
    html`${headerOf('Learning-rate range test', 'Learning rates', lead)}
<main><div class="figures">${await Promise.all(figures)}</div></main>
<footer>Made by cofactor find-lr.</footer>`,
  );
}

function chart(test: PartRangeTest): Chart {
  const { rates, losses, smoothed, suggestion, usual } = test;
  const name = `learning rate of ${TITLES[test.objective].toLowerCase()}`;
  const [low, high] = lossRange(test);
  const points = (values: readonly number[]) => values.map((value, step) => [rates[step], value] as const);
  const within = points(losses).filter(([, loss]) => loss <= high);
  const outlined = { textBorderColor: colours.page, textBorderWidth: 3 };
  const mark = (rate: number, name: string, color: string, position: 'end' | 'insideStart') => ({
    xAxis: rate,
    lineStyle: { color, type: position === 'end' ? ('solid' as const) : ('dashed' as const), width: 2 },
    label: {
      ...{ formatter: `${name}: ${rounded(rate)}`, color, fontSize: 12, position, rotate: 0, ...outlined },
      ...(position === 'insideStart' && { offset: [2, -10] }),
    },
  });
  const option: EChartsOption = {
    grid: { ...LEGEND_GRID, top: 60 },
    legend: legend([STEPS, SMOOTHED]),
    xAxis: xAxis(name, {
      type: 'log',
      min: rates[0],
      max: rates[rates.length - 1],
      axisLabel: LABELS,
    }),
    yAxis: yAxis('loss', { min: Math.max(0, low - (high - low) / 4), max: high, axisLabel: LABELS }),
    series: [
      {
        ...scatter(
          within.map((at) => ({ at, size: 4 })),
          0.4,
        ),
        name: STEPS,
      },
      {
        ...line(SMOOTHED, points(smoothed).slice(Math.floor(rates.length / 10)), { color: colours.ink }),
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
  return { option, label: `Loss against ${name}; ${rounded(suggestion)} is suggested` };
}

const [STEPS, SMOOTHED] = ['each step', 'smoothed'];

/** No labels at the ends of an axis. Numbers are rounded, because ECharts may write 0.09999999999999999. */
const LABELS = {
  showMinLabel: false,
  showMaxLabel: false,
  formatter: (value: number) => String(Number(value.toPrecision(6))),
};
