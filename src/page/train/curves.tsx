import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'preact/hooks';
import { isSolved, models } from '../../../graphs/models/index.ts';
import { chartStyle, LEGEND_GRID } from '../../style/chart.ts';
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
  readonly dashed: boolean;
  points(part: Part): readonly CurvePoint[];
}

const LEARNING: Line = { suffix: ', learning', dashed: true, points: ({ learning }) => learning };
const HELD_OUT: Line = { suffix: '', dashed: false, points: ({ heldOut }) => heldOut };

interface Texts {
  readonly title: string;
  /** Name of the vertical axis. */
  readonly unit: string;
  readonly note: string;
  readonly lines: readonly Line[];
}

function textsOf(objective: Objective, judged: boolean): Texts {
  if (objective === 'rating')
    return {
      title: 'Predicted ratings: typical error',
      unit: 'rating points',
      note: judged
        ? 'Lower is better. Dashed: on the ratings it learns from. Solid: on ratings it has not seen, which is what counts.'
        : 'Lower is better. On the ratings it learns from, because none are held out.',
      lines: judged ? [HELD_OUT, LEARNING] : [LEARNING],
    };
  if (judged)
    return {
      title: 'Recommendations: how well lists of ten fit',
      unit: 'NDCG at 10',
      note: 'Higher is better, 1 is perfect. On data it has not seen: whether what a person likes comes first among everything.',
      lines: [HELD_OUT],
    };
  return {
    title: 'Recommendations: training loss',
    unit: 'loss',
    note: 'Lower is better. On the data it learns from, because none are held out.',
    lines: [LEARNING],
  };
}

/** The models that are drawn: a model without epochs only where it is compared with learning curves. */
function drawnIn({ runs, judged }: Training, objective: Objective): readonly Run[] {
  const learning = runs.filter(({ model, parts }) => parts[objective] && !isSolved(model));
  return learning.length === 0
    ? []
    : runs.filter((run) => run.objectives.includes(objective) && (judged || !isSolved(run.model)));
}

/** Learning curves of each model for one objective; none of models without epochs alone. */
export function Curves({ training, objective, dark }: Props) {
  const { title, unit, note, lines } = textsOf(objective, training.judged);
  const drawn = drawnIn(training, objective);
  const option = useMemo(
    () => curvesOption(training, { objective, lines, unit, palette: dark ? DARK : LIGHT }),
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
      <Chart
        class="curves-canvas"
        label={`${title}: curves by epoch; the results below say where they end`}
        option={option}
      />
    </figure>
  );
}

interface Drawn extends Pick<Props, 'objective'>, Pick<Texts, 'lines' | 'unit'> {
  readonly palette: Palette;
}

function curvesOption(training: Training, { objective, lines, unit, palette }: Drawn): EChartsCoreOption {
  const { xAxis, yAxis, legend, tooltip } = chartStyle(palette);
  const drawn = drawnIn(training, objective);
  const epochs = Math.max(1, ...drawn.map(({ parts }) => parts[objective]?.epochs ?? 0));
  return {
    animation: false,
    grid: LEGEND_GRID,
    legend: legend(drawn.map(({ model }) => models[model].title + lines[0].suffix)),
    tooltip: {
      ...tooltip,
      trigger: 'axis',
      valueFormatter: (value: unknown) => (typeof value === 'number' ? value.toFixed(4) : '–'),
    },
    xAxis: xAxis('epoch', { min: 0, max: epochs, minInterval: 1 }),
    yAxis: yAxis(unit, { scale: true, axisLabel: { formatter: (value: number) => value.toFixed(2) } }),
    series: drawn.flatMap((run) => {
      const { model, parts } = run;
      const part = parts[objective];
      const color = [palette.accent, palette.second, palette.third][training.runs.indexOf(run) % 3];
      return lines.map(({ suffix, dashed, points }) => {
        const own = part ? points(part) : [];
        const data = isSolved(model) ? own.flatMap(([, value]) => [0, epochs].map((at) => [at, value])) : own;
        return {
          type: 'line',
          color,
          showSymbol: data.length < 100 && !isSolved(model),
          symbol: 'circle',
          name: models[model].title + suffix,
          symbolSize: dashed ? 4 : 7,
          lineStyle: dashed ? { width: 1.5, type: 'dashed' } : { width: 2.5 },
          data,
        };
      });
    }),
  };
}
