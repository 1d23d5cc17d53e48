import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'preact/hooks';
import { isSolved, models } from '../../../graphs/models/index.ts';
import type { Judgement } from '../../artifact/judgement.ts';
import { chartStyle, GRID } from '../../style/chart.ts';
import { DARK, LIGHT, type Palette } from '../../style/palette.ts';
import { Chart } from '../chart.tsx';
import type { CurvePoint, Objective, Part, Run, Training } from './use-training.ts';

interface Props {
  readonly training: Training;
  readonly objective: Objective;
  readonly dark: boolean;
}

/** A line of each model. */
interface Line {
  /** Follows the name of the model. */
  readonly suffix: string;
  readonly thin: boolean;
  points(part: Part): readonly CurvePoint[];
}

const LEARNING: Line = { suffix: ', learning', thin: true, points: ({ learning }) => learning };
const HELD_OUT: Line = { suffix: '', thin: false, points: ({ heldOut }) => heldOut };

interface Texts {
  readonly title: string;
  /** Name of the vertical axis. */
  readonly unit: string;
  readonly note: string;
  readonly lines: readonly Line[];
  /** What a model should be better than. */
  readonly baseline: string;
}

function textsOf(objective: Objective, judged: boolean): Texts {
  const baseline = BASELINES[objective].name;
  if (objective === 'rating')
    return {
      title: 'Predicted ratings: typical error',
      unit: 'rating points',
      note: judged
        ? `Lower is better. Thick: on ratings it has not seen, which is what counts. Thin: on the ratings it learns from. Dashed: ${BASELINES.rating.about}.`
        : 'Lower is better. On the ratings it learns from, because none are held out.',
      lines: judged ? [HELD_OUT, LEARNING] : [LEARNING],
      baseline,
    };
  if (judged)
    return {
      title: 'Recommendations: how well lists of ten fit',
      unit: 'NDCG at 10',
      note: `Higher is better, 1 is perfect. On data it has not seen: whether what a person likes comes first among everything. Dashed: ${BASELINES.ranking.about}.`,
      lines: [HELD_OUT],
      baseline,
    };
  return {
    title: 'Recommendations: training loss',
    unit: 'loss',
    note: 'Lower is better. On the data it learns from, because none are held out.',
    lines: [LEARNING],
    baseline,
  };
}

/** The models that are drawn: a model without epochs only where it is compared with learning curves. */
function drawnIn({ runs, judged }: Training, objective: Objective): readonly Run[] {
  const learning = runs.filter(({ model, parts }) => parts[objective] && !isSolved(model));
  return learning.length === 0
    ? []
    : runs.filter((run) => run.objectives.includes(objective) && (judged || !isSolved(run.model)));
}

/** What models are compared with, by objective. */
const BASELINES = {
  rating: {
    name: 'Averages',
    about: 'predictions by averages of users and items',
    of: ({ rating }: Judgement) => rating?.dampedMeans.rmse,
  },
  ranking: {
    name: 'Most popular',
    about: 'the most popular, the same for everyone',
    of: ({ ranking }: Judgement) => ranking?.popular.ndcg,
  },
};

/** The measure of the baseline; undefined until a model is judged. */
function baselineOf({ runs }: Training, objective: Objective): number | undefined {
  const judgement = runs.find((run) => run.judgement)?.judgement;
  return judgement && BASELINES[objective].of(judgement);
}

/** Learning curves of each model for one objective; none of models without epochs alone. */
export function Curves({ training, objective, dark }: Props) {
  const { title, note, ...texts } = textsOf(objective, training.judged);
  const drawn = drawnIn(training, objective);
  const palette = dark ? DARK : LIGHT;
  const option = useMemo(
    () => curvesOption(training, { ...texts, objective, palette }),
    [training, objective, dark],
  );
  if (drawn.length === 0) return null;
  const levels = drawn.filter(({ model }) => isSolved(model)).map(({ model }) => models[model].title);
  return (
    <figure class="curves">
      <figcaption>
        <b>{title}</b>
        <span class="note">
          {note}
          {levels.length > 0 && ` “${levels.join('”, “')}” has no epochs: its line is level.`}
        </span>
      </figcaption>
      <ul class="curves-legend">
        {drawn.map((run) => (
          <li key={run.model} style={{ '--colour': colourOf(run, training, palette) }}>
            {models[run.model].title + texts.lines[0].suffix}
          </li>
        ))}
        {baselineOf(training, objective) !== undefined && (
          <li data-dashed style={{ '--colour': palette.soft }}>
            {texts.baseline}
          </li>
        )}
      </ul>
      <Chart
        class="curves-canvas"
        label={`${title}: curves by epoch; the results below say where they end`}
        option={option}
      />
    </figure>
  );
}

interface Drawn extends Pick<Props, 'objective'>, Pick<Texts, 'lines' | 'unit' | 'baseline'> {
  readonly palette: Palette;
}

function curvesOption(training: Training, drawing: Drawn): EChartsCoreOption {
  const { objective, unit, baseline, palette } = drawing;
  const { xAxis, yAxis, tooltip } = chartStyle(palette);
  const drawn = drawnIn(training, objective);
  const level = baselineOf(training, objective);
  const epochs = Math.max(1, ...drawn.map(({ parts }) => parts[objective]?.epochs ?? 0));
  return {
    animation: false,
    grid: GRID,
    tooltip: {
      ...tooltip,
      trigger: 'axis',
      valueFormatter: (value: unknown) => (typeof value === 'number' ? value.toFixed(4) : '–'),
    },
    xAxis: xAxis('epoch', { min: 0, max: epochs, minInterval: 1 }),
    yAxis: yAxis(unit, { scale: true, axisLabel: { formatter: (value: number) => value.toFixed(2) } }),
    series: [
      ...drawn.flatMap((run) => linesOf(run, training, { ...drawing, epochs })),
      ...(level === undefined
        ? []
        : [
            {
              type: 'line',
              name: baseline,
              color: palette.soft,
              symbol: 'none',
              lineStyle: { width: 1.5, type: 'dashed' },
              data: [0, epochs].map((at) => [at, level]),
            },
          ]),
    ],
  };
}

/** The lines of a model. */
function linesOf(
  run: Run,
  training: Training,
  { objective, lines, palette, epochs }: Drawn & { readonly epochs: number },
) {
  const { model, parts } = run;
  const part = parts[objective];
  const color = colourOf(run, training, palette);
  return lines.map(({ suffix, thin, points }) => {
    const own = part ? points(part) : [];
    const data = isSolved(model) ? own.flatMap(([, value]) => [0, epochs].map((at) => [at, value])) : own;
    return {
      type: 'line',
      color,
      showSymbol: !thin && data.length < 100 && !isSolved(model),
      symbol: 'circle',
      name: models[model].title + suffix,
      symbolSize: 7,
      lineStyle: { width: thin ? 1 : 2.5 },
      data,
    };
  });
}

const colourOf = (run: Run, { runs }: Training, { accent, second, third }: Palette): string =>
  [accent, second, third][runs.indexOf(run) % 3];
