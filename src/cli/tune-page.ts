import type { EChartsOption } from 'echarts';
import { chartOf, colours, LEGEND_GRID, legend, scatter, xAxis, yAxis } from '../document/figure.ts';
import { headerOf, html, pageOf } from '../document/html.ts';
import { numbers, table } from '../document/table.ts';
import type { Candidate } from '../experiment/halving.ts';
import { importance } from '../experiment/importance.ts';
import { errorOf, type Measure } from '../experiment/measures.ts';
import { resolved } from '../experiment/search.ts';
import type { Space } from '../experiment/space.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { capital, error, percent, plural, words } from '../util/format.ts';

export interface TunePage {
  readonly title: string;
  /** The search of each part of the model. */
  readonly searches: readonly TunedPart[];
}

export interface TunedPart {
  readonly heading?: string | undefined;
  readonly measure: Measure;
  /** What the search did, in a sentence. */
  readonly about: string;
  readonly candidates: readonly Candidate[];
  readonly best: Candidate;
  readonly space: Space;
  /** The best trials, with a header first. */
  readonly table: readonly (readonly string[])[];
}

interface Point {
  readonly recipe: Recipe;
  readonly error: number;
  readonly mark?: 'best' | 'default';
}

/** A self-contained page on a search: for each part a chart for each hyperparameter, the most important first. */
export async function tunePage({ title, searches }: TunePage): Promise<string> {
  const lead = 'Recipes that were tried, judged on data that was held out.';
  return pageOf(
    title,
    html`${headerOf('Search for hyperparameters', title, lead)}
<main>${await Promise.all(searches.map(partOf))}</main>
<footer>Made by cofactor tune.</footer>`,
  );
}

async function partOf({ heading, measure, about, candidates, best, space, table: trials }: TunedPart) {
  const points = candidates.flatMap((candidate): Point[] => {
    const outcome = candidate.outcomes.get(0);
    if (!outcome) return [];
    const mark = candidate === best ? 'best' : candidate.number === 0 ? 'default' : undefined;
    return [
      {
        recipe: resolved(candidate),
        error: 'failed' in outcome ? Number.POSITIVE_INFINITY : errorOf(outcome),
        ...(mark && { mark }),
      },
    ];
  });
  const ranked = [...space.dimensions.keys()]
    .map((name) => {
      const told = points.filter(({ recipe }) => recipe[name] !== undefined);
      const share = importance(
        told.map(({ recipe }) => plotted(recipe[name])),
        told.map((point) => point.error),
      );
      return { name, told, share };
    })
    .sort((one, other) => other.share - one.share);
  const top = highest(points.map((point) => point.error));
  const above = points.filter((point) => point.error > top).length;
  const charts = ranked.map(
    async ({ name, told, share }) =>
      html`<figure><figcaption><b>${capital(words(name))}</b> importance ${percent(share)}</figcaption>${await chartOf(
        {
          label: `${measure.title} by ${words(name)}, of ${plural(told.length, 'recipe')}`,
          option: chart(name, told, top, measure),
        },
      )}</figure>`,
  );
  const [header, ...rows] = trials;
  const under = (title: string) =>
    heading === undefined ? html`<h2>${title}</h2>` : html`<h3>${title}</h3>`;
  const worst = `${measure.title} ${measure.sign > 0 ? 'above' : 'below'} ${error(measure.sign * top)}`;
  return html`<section>
${heading !== undefined && html`<h2>${heading}</h2>`}<p>${about}</p>
${under('What mattered')}
<p>Each point is a recipe: its value, and its ${measure.title} on the first fold.
${above > 0 && `${plural(above, 'recipe')} with ${worst}, or that failed, ${above === 1 ? 'is' : 'are'} not in the charts.`}</p>
<p>The percentage is the importance of the hyperparameter by itself: the share of the variance of the recipes’ ranks on the
first fold that its values, or its quantile bins, explain, corrected for chance.</p>
<div class="figures">${await Promise.all(charts)}</div>
${under('The best')}
<div class="scroll">${table('Recipes, the best first', numbers(...header), rows)}</div>
</section>`;
}

const plotted = (value: unknown): unknown => (Array.isArray(value) ? value.join(', ') : value);

/** Symbols around the points of recipes. */
const MARKS = { best: 'circle', default: 'diamond' };

/** Upper limit of the charts, so that a few high errors do not compress the others. */
function highest(errors: readonly number[]): number {
  const sorted = errors.filter(Number.isFinite).sort((one, other) => one - other);
  const [best, typical] = [sorted[0], sorted[sorted.length >> 1]];
  const limit = best + 3 * Math.max(typical - best, 0.002);
  return sorted.findLast((value) => value <= limit) ?? best;
}

/** The measure by a hyperparameter: with a logarithmic axis for numbers, with categories for other values. */
function chart(
  name: keyof Recipe,
  points: readonly Point[],
  top: number,
  { sign, title }: Measure,
): EChartsOption {
  const shown = points.filter((point) => point.error <= top);
  const values = shown.map(({ recipe }) => plotted(recipe[name]));
  const areNumbers = values.every((value) => typeof value === 'number');
  const at = (point: Point) => [plotted(point.recipe[name]) as number | string, sign * point.error] as const;
  const axisLine = { onZero: false, lineStyle: { color: colours.line } };
  const rounded = (value: number) => String(Number(value.toPrecision(2)));
  const range = Math.max(top - Math.min(...shown.map((point) => point.error)), 1e-4);
  // Enough decimals to tell the labels of the axis apart.
  const decimals = Math.max(2, Math.ceil(1 - Math.log10(range)));
  const ends = [sign * (top - 1.05 * range), sign * (top + 0.03 * range)];
  return {
    grid: LEGEND_GRID,
    legend: legend(['recipe', ...Object.keys(MARKS)]),
    xAxis: areNumbers
      ? xAxis(words(name), {
          type: 'log',
          min: ({ min }) => min / 1.2,
          max: ({ max }) => max * 1.2,
          axisLine,
          axisLabel: { formatter: rounded },
        })
      : xAxis(words(name), {
          type: 'category',
          data: sortedTexts(values),
          axisLine,
        }),
    yAxis: yAxis(title, {
      nameGap: 46,
      min: Math.min(...ends),
      max: Math.max(...ends),
      axisLabel: {
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (value: number) => value.toFixed(decimals),
      },
    }),
    series: [
      {
        ...scatter(
          shown.map((point) => ({ at: at(point), size: 7 })),
          0.75,
        ),
        name: 'recipe',
      },
      ...Object.entries(MARKS).map(([mark, symbol]) => ({
        name: mark,
        ...scatter(
          shown.filter((point) => point.mark === mark).map((point) => ({ at: at(point), size: 15 })),
          1,
        ),
        symbol,
        itemStyle: { color: 'none', borderColor: colours.ink, borderWidth: 1.5 },
      })),
    ],
  };
}

const sortedTexts = (values: readonly unknown[]): string[] =>
  [...new Set(values.map(String))].sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
