import { rangeOf } from '../data/dataset/rows.ts';
import { bars, colours, type Figure, GRID, line, scatter, xAxis, yAxis } from '../document/figure.ts';
import { numbers, table } from '../document/table.ts';
import { count, decimal, short, signed } from '../util/format.ts';
import type { Judged } from './data.ts';

/** Calibration: whether predictions equal actual ratings on average. */
export function calibration(judged: Judged): Figure {
  const groups = grouped(judged);
  const most = Math.max(...groups.map(({ ratings }) => ratings));
  const means = groups.flatMap(({ meanPredicted, meanActual }) => [meanPredicted, meanActual]);
  const [from, to] = [Math.min(...means), Math.max(...means)];
  const room = (to - from) * 0.05 || 1;
  // No labels at the ends of the axes.
  const ends = {
    min: from - room,
    max: to + room,
    axisLabel: { showMinLabel: false, showMaxLabel: false },
  };
  const title = 'Calibration';
  return {
    title,
    caption:
      'Ratings grouped by prediction, with the average of what users gave. On the diagonal both are equal; above it, the model predicts too low. The larger the circle, the more ratings.',
    label: `Calibration: mean actual rating by predicted rating. ${groups
      .map(({ meanPredicted, meanActual }) => `${decimal(meanPredicted)}: ${decimal(meanActual)}`)
      .join(', ')}`,
    option: {
      grid: GRID,
      xAxis: xAxis('mean predicted rating', ends),
      yAxis: yAxis('mean actual rating', ends),
      series: [
        line(
          'diagonal',
          [
            [from - room, from - room],
            [to + room, to + room],
          ],
          { color: colours.soft, dashed: true, width: 1.5 },
        ),
        scatter(
          groups.map(({ meanPredicted, meanActual, ratings }) => ({
            at: [meanPredicted, meanActual],
            size: 5 + 15 * Math.sqrt(ratings / most),
          })),
          0.8,
        ),
      ],
    },
    table: table(
      title,
      numbers('Predicted from', 'Ratings', 'Mean predicted', 'Mean actual'),
      groups.map(({ from, ratings, meanPredicted, meanActual }) => [
        short(from),
        count(ratings),
        decimal(meanPredicted, 3),
        decimal(meanActual, 3),
      ]),
    ),
  };
}

/** Histogram of the errors. */
export function distribution({ predicted, actual }: Judged): Figure {
  const errors = predicted.map((value, at) => value - actual[at]);
  const { low, high } = rangeOf(errors);
  const width = roundWidth(low, high, 40);
  // Each bin is around a multiple of the width.
  const first = Math.round(low / width);
  const counts = Array<number>(Math.round(high / width) - first + 1).fill(0);
  for (const value of errors) counts[Math.round(value / width) - first]++;
  const middles = counts.map((_, bin) => (first + bin) * width);
  const labelled = LABELLED.find((every) => counts.length / every <= 9) ?? 10;
  const sizes = errors.map(Math.abs).sort();
  const within = (part: number): string => decimal(sizes[Math.floor(part * (sizes.length - 1))]);
  const parts = `Half of the predictions are within ${within(0.5)} of the rating, nine in ten within ${within(0.9)}`;
  const title = 'Distribution of errors';
  return {
    title,
    caption: `Predicted minus actual: right of 0 the model predicts too high, left of it too low. ${parts}.`,
    label: `Distribution of errors, from ${signed(low)} to ${signed(high)}. ${parts}`,
    option: {
      grid: GRID,
      xAxis: xAxis('predicted − actual', {
        type: 'category',
        data: middles.map(withSign),
        axisLabel: { interval: (bin: number) => (first + bin) % labelled === 0 },
      }),
      yAxis: yAxis('ratings', { axisLabel: { formatter: brief } }),
      series: [{ ...bars(counts), barCategoryGap: '8%' }],
    },
    table: table(
      title,
      numbers('Error around', 'Ratings'),
      middles.map((middle, bin) => [withSign(middle), count(counts[bin])]),
    ),
  };
}

/** Every so many bins have a label. */
const LABELLED = [1, 2, 4, 5];

const withSign = (value: number): string => `${value > 0 ? '+' : ''}${short(value)}`;

/** A short number: 12k for 12,000. */
const brief = (value: number): string => (value >= 10_000 ? `${value / 1000}k` : count(value));

/** A round width of bins, so that a range has at most about `most` of them. */
function roundWidth(low: number, high: number, most: number): number {
  const least = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * (ROUND.find((factor) => factor * power >= least) ?? 10);
}

const ROUND = [1, 2.5, 5, 10];

/** Ratings grouped by prediction, with the means of each group; `from` is its lower border. */
function grouped({ predicted, actual }: Judged) {
  const { low, high } = rangeOf(predicted);
  const width = roundWidth(low, high, 16);
  const sums = new Map<number, { ratings: number; predicted: number; actual: number }>();
  for (const [at, value] of predicted.entries()) {
    const bin = Math.floor(value / width);
    const sum = sums.get(bin) ?? { ratings: 0, predicted: 0, actual: 0 };
    sums.set(bin, sum);
    sum.ratings++;
    sum.predicted += value;
    sum.actual += actual[at];
  }
  return [...sums]
    .sort(([one], [other]) => one - other)
    .map(([bin, { ratings, predicted, actual }]) => ({
      from: bin * width,
      ratings,
      meanPredicted: predicted / ratings,
      meanActual: actual / ratings,
    }));
}
