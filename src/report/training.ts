import type { Manifest } from '../artifact/manifest.ts';
import { make, type Named } from '../train/recipe/named.ts';
import { type Loss, losses } from '../train/step/losses.ts';
import { type Schedule, schedules } from '../train/step/schedules.ts';
import { colours, type Figure, figure, GRID, legend, line, xAxis, yAxis } from './figure.ts';
import { count, decimal, error, plural } from './format.ts';
import { html } from './html.ts';
import { missing, type Section } from './section.ts';
import { table } from './table.ts';

type Epoch = Manifest['history'][number];

/** The epoch, counted from 1, whose values the model has: the best where ratings were held out, or else the last. */
export function keptEpoch({ history }: Manifest): number {
  const errors = history.map(({ valid }) => valid?.rmse ?? Number.POSITIVE_INFINITY);
  const best = Math.min(...errors);
  return Number.isFinite(best) ? errors.indexOf(best) + 1 : history.length;
}

export async function trainingSection(manifest: Manifest): Promise<Section> {
  const { history, training } = manifest;
  const planned = Number(training.epochs);
  const ran =
    history.length < planned
      ? `Training ended after ${plural(history.length, 'epoch')} of the ${count(planned)} that were planned.`
      : `Training took ${plural(history.length, 'epoch')}.`;
  const kept = history.some(({ valid }) => valid)
    ? ` The model has the values of epoch ${keptEpoch(manifest)}, whose validation error was the lowest.`
    : '';
  const rate = rates(manifest);
  const figures = [...curves(manifest), ...(rate ? [rate] : [])];
  const body = html`<p>${ran}${kept} An epoch is one pass through all training ratings.</p>
<div class="figures">${await Promise.all(figures.map(figure))}</div>
${!rate && missing('The learning rate is not drawn: its schedule is one of the trainer’s own, which the files do not tell.')}`;
  return { id: 'training', title: 'How it was trained', body };
}

function curves({ history, training }: Manifest): Figure[] {
  const known: Readonly<Record<string, Loss>> = losses;
  const loss = known[String(training.loss)]?.error;
  const held = history.some(({ valid }) => valid);
  const place = (value: (epoch: Epoch) => number | undefined): [number, number][] =>
    history.flatMap((epoch, at) => {
      const y = value(epoch);
      return y === undefined ? [] : [[at + 1, y] as [number, number]];
    });
  const falling = line(
    loss ? `training ${loss.name}` : 'loss',
    place(({ loss: mean }) => loss?.of(mean) ?? mean),
    {
      color: colours.second,
      dashed: true,
      symbols: history.length <= 30,
    },
  );
  const errors = [
    line(
      'validation RMSE',
      place(({ valid }) => valid?.rmse),
      {
        color: colours.accent,
        symbols: history.length <= 30,
      },
    ),
    line(
      'validation MAE',
      place(({ valid }) => valid?.mae),
      { color: colours.soft, width: 1.5 },
    ),
  ];
  const numbers = table(
    'By epoch',
    [{ number: 'Epoch' }, { number: 'Loss' }, { number: 'Validation RMSE' }, { number: 'Validation MAE' }],
    history.map(({ loss: mean, valid }, at) => [
      count(at + 1),
      error(mean),
      valid ? error(valid.rmse) : '–',
      valid ? error(valid.mae) : '–',
    ]),
  );
  const last = history[history.length - 1];
  const drawn = (
    title: string,
    unit: string,
    series: ReturnType<typeof line>[],
    caption: string,
  ): Figure => ({
    title,
    caption,
    label: `${title}: ${series
      .map(
        ({ name, data }) =>
          `${name} from ${decimal(data[0][1], 3)} to ${decimal(data[data.length - 1][1], 3)}`,
      )
      .join('; ')}, over ${plural(history.length, 'epoch')}`,
    option: {
      grid: { ...GRID, top: 40 },
      legend: legend(series.map(({ name }) => name)),
      xAxis: { ...xAxis('epoch'), type: 'value', min: 1, max: Math.max(2, history.length), minInterval: 1 },
      yAxis: { ...yAxis(unit), type: 'value', scale: true },
      series,
    },
    table: numbers,
  });
  if (loss) {
    const reading = held
      ? 'The solid lines are the errors on held-out ratings, which is what counts. The dashed one is the error on the training ratings while the epoch ran; where it goes on falling and the solid ones rise, the model learns its ratings by heart.'
      : 'The error on the training ratings while the epoch ran. It flatters: no ratings were held out to judge the model by.';
    return [drawn('Error by epoch', 'rating points', [falling, ...(held ? errors : [])], reading)];
  }
  const caption = `What training makes small (${training.loss}), as a mean over the ratings of the epoch while it ran; it ends at ${error(last.loss)}.`;
  return [
    drawn('Training loss by epoch', 'loss', [falling], caption),
    ...(held ? [drawn('Error by epoch', 'rating points', errors, 'The errors on held-out ratings.')] : []),
  ];
}

/** How finely a schedule is drawn, and how finely it is listed. */
const STEPS = 200;
const LISTED = 20;

/** By what learning rates training went; undefined where the files do not tell. */
function rates({ history, training }: Manifest): Figure | undefined {
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
    caption: `How large the steps of training were: the ${schedule.name} schedule, at most ${highest}.${end}`,
    label: `Learning rate over ${plural(epochs, 'epoch')}, ${schedule.name}, from ${shown(points[0][1])} to ${shown(points[STEPS][1])}, at most ${highest}`,
    option: {
      grid: { ...GRID, left: 60 },
      xAxis: { ...xAxis('epochs done'), type: 'value', min: 0, max: epochs },
      yAxis: { ...yAxis(''), type: 'value', axisLabel: { ...yAxis('').axisLabel, formatter: shown } },
      series: [line(title, points, { color: colours.accent })],
    },
    table: table(
      title,
      [{ number: 'Epochs done' }, { number: title }],
      points.filter((_, at) => at % (STEPS / LISTED) === 0).map(([at, rate]) => [decimal(at), shown(rate)]),
    ),
  };
}

function scheduleOf({ schedule }: Manifest['training']): Schedule | undefined {
  const named = schedule as Named | undefined;
  return named && Object.hasOwn(schedules, named.name) ? make('schedule', schedules, named) : undefined;
}

const shown = (value: number): string => String(Number(value.toPrecision(3)));
