import { isSolved } from '../../graphs/models/index.ts';
import type { Objective } from '../../graphs/models/model.ts';
import { type Manifest, partsOf, type TrainedPart } from '../artifact/manifest.ts';
import {
  colours,
  type Figure,
  figure,
  GRID,
  LEGEND_GRID,
  type LineStyle,
  legend,
  line,
  xAxis,
  yAxis,
} from '../document/figure.ts';
import { type Html, html, missing } from '../document/html.ts';
import { numbers, table } from '../document/table.ts';
import { make, type Named } from '../train/recipe/named.ts';
import { type Loss, losses } from '../train/step/losses.ts';
import { type Schedule, schedules } from '../train/step/schedules.ts';
import { count, decimal, error, plural } from '../util/format.ts';

type History = TrainedPart['history'];
type Epoch = History[number];

/** The epoch of the model's parameters, counted from 1: the best if ratings were held out, else the last. */
export function keptEpoch({ history }: Pick<TrainedPart, 'history'>): number {
  // The lower, the better: RMSE, or NDCG with its sign changed.
  const errors = history.map(({ valid }) => valid?.rmse ?? -(valid?.ndcg ?? Number.NEGATIVE_INFINITY));
  const best = Math.min(...errors);
  return Number.isFinite(best) ? errors.indexOf(best) + 1 : history.length;
}

export async function trainingSection(manifest: Manifest): Promise<Html> {
  const parts = Object.entries(partsOf(manifest)) as [Objective, TrainedPart][];
  const sections: Html[] = [];
  for (const [objective, part] of parts)
    sections.push(html`${parts.length > 1 && html`<h3>${TITLES[objective]}</h3>`}
${await trainingOf(part, objective, manifest.judged?.[objective]?.history)}`);
  return html`${sections}`;
}

const TITLES: Readonly<Record<Objective, string>> = { rating: 'To predict ratings', ranking: 'To rank' };

/** @param judged epochs of the training that the recipe was judged by, if the saved model is another */
async function trainingOf(saved: TrainedPart, objective: Objective, judged?: History): Promise<Html> {
  const { model } = saved;
  if (isSolved(model.name))
    return html`<p>The weights were computed at once, in closed form: there were no epochs of training.</p>`;
  const manifest = judged ? { ...saved, history: judged } : saved;
  const rate = rates(saved);
  const curves = objective === 'rating' ? errorCurves(manifest) : rankingCurves(manifest);
  const figures = [...curves, ...(rate ? [rate] : [])];
  return html`<p>${epochsOf(saved, objective, judged)} An epoch is one pass through all ${
    objective === 'rating' ? 'training ratings' : 'users with what they like'
  }.</p>
<div class="figures">${await Promise.all(figures.map(figure))}</div>
${!rate && missing('The learning rate is not drawn, because its schedule is not a built-in one.')}`;
}

/** How many epochs there were, and which of them the model is from, in sentences. */
function epochsOf(saved: TrainedPart, objective: Objective, judged?: History): string {
  const history = judged ?? saved.history;
  const why =
    objective === 'rating' ? 'validation error was the lowest' : 'NDCG on the held-out part was the highest';
  if (judged)
    return `The curves are those of the training that the recipe was judged by. Of its ${plural(history.length, 'epoch')} the best was ${keptEpoch({ history })}, whose ${why}. The model was then trained on all data for ${plural(saved.history.length, 'epoch')}.`;
  const planned = Number(saved.training.epochs);
  const ran =
    history.length < planned
      ? `Training ended after ${plural(history.length, 'epoch')} of the ${count(planned)} that were planned.`
      : `Training took ${plural(history.length, 'epoch')}.`;
  return history.some(({ valid }) => valid)
    ? `${ran} The model is from epoch ${keptEpoch(saved)}, whose ${why}.`
    : ran;
}

/** The loss of the ranking and, if ratings were held out, the quality of lists. */
function rankingCurves({ history }: TrainedPart): Figure[] {
  const symbols = history.length <= 30;
  const held = history.some(({ valid }) => valid?.ndcg !== undefined);
  const by = (value: (epoch: Epoch) => number | undefined) =>
    history.flatMap((epoch, at) => {
      const y = value(epoch);
      return y === undefined ? [] : [[at + 1, y] as const];
    });
  const loss = byEpoch(history, {
    title: 'Ranking loss by epoch',
    unit: 'loss',
    caption:
      'What training minimizes: minus the logarithm of the share that a liked item has among all items, as the mean over the liked items during the epoch.',
    series: [
      line(
        'training loss',
        by(({ loss }) => loss),
        { color: colours.second, dashed: true, symbols },
      ),
    ],
    measures: [],
  });
  if (!held) return [loss];
  const quality = byEpoch(history, {
    title: 'Quality of lists by epoch',
    unit: 'NDCG, precision at 10',
    caption:
      'How well lists of ten items fit the held-out part. Higher is better. Where the loss falls and these fall too, the model overfits.',
    series: [
      line(
        'validation NDCG',
        by(({ valid }) => valid?.ndcg),
        { color: colours.accent, symbols },
      ),
      line(
        'validation precision',
        by(({ valid }) => valid?.precision),
        { color: colours.soft, width: 1.5 },
      ),
    ],
    measures: ['ndcg', 'precision'],
  });
  return [loss, quality];
}

function errorCurves({ history, training }: TrainedPart): Figure[] {
  const known: Readonly<Record<string, Loss>> = losses;
  const loss = known[String(training.loss)]?.error;
  const held = history.some(({ valid }) => valid);
  const symbols = history.length <= 30;
  const curve = (name: string, style: LineStyle, value: (epoch: Epoch) => number | undefined) => {
    const points = history.flatMap((epoch, at) => {
      const y = value(epoch);
      return y === undefined ? [] : [[at + 1, y] as const];
    });
    return line(name, points, style);
  };
  const falling = curve(
    loss ? `training ${loss.name}` : 'loss',
    { color: colours.second, dashed: true, symbols },
    ({ loss: mean }) => loss?.of(mean) ?? mean,
  );
  const errors = held
    ? [
        curve('validation RMSE', { color: colours.accent, symbols }, ({ valid }) => valid?.rmse),
        curve('validation MAE', { color: colours.soft, width: 1.5 }, ({ valid }) => valid?.mae),
      ]
    : [];
  const errorByEpoch = { title: 'Error by epoch', unit: 'rating points' };
  if (loss) {
    const caption = held
      ? 'The solid lines are the errors on held-out ratings, which matter. The dashed line is the error on the training ratings during the epoch. Where it falls and the solid lines rise, the model overfits.'
      : 'The error on the training ratings during the epoch. It is lower than the error to expect, because no ratings were held out.';
    return [byEpoch(history, { ...errorByEpoch, caption, series: [falling, ...errors] })];
  }
  const caption = `The loss that training minimizes (${training.loss}), as the mean over the ratings during the epoch; it ends at ${error(history[history.length - 1].loss)}.`;
  const falls = byEpoch(history, {
    title: 'Training loss by epoch',
    unit: 'loss',
    caption,
    series: [falling],
  });
  if (!held) return [falls];
  return [
    falls,
    byEpoch(history, { ...errorByEpoch, caption: 'The errors on held-out ratings.', series: errors }),
  ];
}

interface Curves {
  readonly title: string;
  readonly unit: string;
  readonly caption: string;
  readonly series: readonly ReturnType<typeof line>[];
  /** Columns of the table beside the loss. @default RMSE and MAE */
  readonly measures?: readonly (keyof typeof MEASURES)[];
}

const MEASURES = {
  rmse: 'Validation RMSE',
  mae: 'Validation MAE',
  ndcg: 'Validation NDCG',
  precision: 'Validation precision',
} as const;

function byEpoch(
  history: TrainedPart['history'],
  { title, unit, caption, series, measures = ['rmse', 'mae'] }: Curves,
): Figure {
  const courses = series.map(({ name, data }) => {
    const [[, from], [, to]] = [data[0], data[data.length - 1]];
    return `${name} from ${decimal(from, 3)} to ${decimal(to, 3)}`;
  });
  return {
    title,
    caption,
    label: `${title}: ${courses.join('; ')}, over ${plural(history.length, 'epoch')}`,
    option: {
      grid: LEGEND_GRID,
      legend: legend(series.map(({ name }) => name)),
      xAxis: xAxis('epoch', { min: 1, max: Math.max(2, history.length), minInterval: 1 }),
      yAxis: yAxis(unit, { scale: true }),
      series: [...series],
    },
    table: table(
      'By epoch',
      numbers('Epoch', 'Loss', ...measures.map((measure) => MEASURES[measure])),
      history.map(({ loss, valid }, at) => [
        count(at + 1),
        error(loss),
        ...measures.map((measure) => error(valid?.[measure] ?? Number.NaN)),
      ]),
    ),
  };
}

/** Number of points of a schedule in the chart, and in the table. */
const STEPS = 200;
const LISTED = 20;

/** The learning rates of training; undefined for a schedule that is not built in. */
function rates({ history, training }: TrainedPart): Figure | undefined {
  const schedule = scheduleOf(training);
  if (!schedule) return undefined;
  const epochs = Number(training.epochs);
  const points = Array.from({ length: STEPS + 1 }, (_, at): [number, number] => {
    const progress = at / STEPS;
    return [progress * epochs, schedule.at(progress).learningRate];
  });
  const highest = shown(Math.max(...points.map(([, rate]) => rate)));
  const end = history.length < epochs ? ` Training ended at ${history.length}.` : '';
  const title = 'Learning rate';
  return {
    title,
    caption: `The ${schedule.name} schedule, with at most ${highest}.${end}`,
    label: `Learning rate over ${plural(epochs, 'epoch')}, ${schedule.name}, from ${shown(points[0][1])} to ${shown(points[STEPS][1])}, at most ${highest}`,
    option: {
      grid: { ...GRID, left: 66 },
      xAxis: xAxis('epochs done', { min: 0, max: epochs }),
      yAxis: yAxis('learning rate', { nameGap: 50, axisLabel: { formatter: shown } }),
      series: [line(title, points, { color: colours.accent })],
    },
    table: table(
      title,
      numbers('Epochs done', title),
      points.filter((_, at) => at % (STEPS / LISTED) === 0).map(([at, rate]) => [decimal(at), shown(rate)]),
    ),
  };
}

function scheduleOf({ schedule }: TrainedPart['training']): Schedule | undefined {
  const named = schedule as Named | undefined;
  return named && Object.hasOwn(schedules, named.name) ? make(schedules, named) : undefined;
}

const shown = (value: number): string => String(Number(value.toPrecision(3)));
