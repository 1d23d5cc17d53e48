import type { EChartsOption } from 'echarts';
import type { Candidate } from '../experiment/halving.ts';
import { importance } from '../experiment/importance.ts';
import { resolved } from '../experiment/search.ts';
import type { Space } from '../experiment/space.ts';
import { svgOf } from '../plot/svg.ts';
import { error, percent, plural } from '../report/format.ts';
import { Html, html } from '../report/html.ts';
import type { Recipe } from '../train/recipe/recipe.ts';

export interface TunePage {
  readonly title: string;
  /** What was done, in a sentence. */
  readonly about: string;
  readonly candidates: readonly Candidate[];
  readonly best: Candidate;
  readonly space: Space;
  /** The best trials, a header first. */
  readonly table: readonly (readonly string[])[];
}

interface Point {
  readonly recipe: Recipe;
  readonly error: number;
  readonly mark?: 'best' | 'default';
}

/** A self-contained page on what mattered in a search: a chart a hyperparameter, the one that mattered most first. */
export async function tunePage({ title, about, candidates, best, space, table }: TunePage): Promise<string> {
  const points = candidates.flatMap((candidate): Point[] => {
    const outcome = candidate.outcomes.get(0);
    if (!outcome) return [];
    const mark = candidate === best ? 'best' : candidate.number === 0 ? 'default' : undefined;
    return [
      {
        recipe: resolved(candidate),
        error: 'rmse' in outcome ? outcome.rmse : Number.POSITIVE_INFINITY,
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
  const charts: Html[] = [];
  for (const { name, told, share } of ranked) {
    const svg = await svgOf(chart(name, told, top), { width: 400, height: 260 });
    charts.push(
      html`<figure><figcaption><b>${words(name)}</b> ${percent(share)}</figcaption>${new Html(svg)}</figure>`,
    );
  }
  const [header, ...rows] = table;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${new Html(STYLE)}</style></head><body>
<h1>${title}</h1>
<p>${about}</p>
<h2>What mattered</h2>
<p>Each point is a recipe: its value, and its RMSE on the first fold.
<span class="key">◯ the best</span> <span class="key">◇ the default</span>
${above > 0 && `${plural(above, 'recipe')} with an RMSE above ${error(top)}, or that failed, ${above === 1 ? 'is' : 'are'} beyond the charts.`}</p>
<p>The percentage says how much the hyperparameter alone mattered: the part of the variance of the recipes’ ranks on the
first fold that is between its values, or its quantile bins, less what chance would explain.</p>
<div class="charts">${charts}</div>
<h2>The best</h2>
<div class="wide"><table><thead><tr>${header.map((cell) => html`<th>${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>
</body></html>
`.markup;
}

/** `learning rate` for `learningRate` */
export const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const plotted = (value: unknown): unknown => (Array.isArray(value) ? value.join(', ') : value);

/** So that a few bad ones do not press the others together. */
function highest(errors: readonly number[]): number {
  const sorted = errors.filter(Number.isFinite).sort((one, other) => one - other);
  const [best, typical] = [sorted[0], sorted[sorted.length >> 1]];
  const limit = best + 3 * Math.max(typical - best, 0.002);
  return sorted.findLast((value) => value <= limit) ?? best;
}

/** Numbers on a logarithmic axis, as they were drawn; anything else by its name. */
function chart(name: keyof Recipe, points: readonly Point[], top: number): EChartsOption {
  const shown = points.filter((point) => point.error <= top);
  const values = shown.map(({ recipe }) => plotted(recipe[name]));
  const numbers = values.every((value) => typeof value === 'number');
  const line = { lineStyle: { color: 'var(--line)' } };
  const label = { color: 'var(--faint)', fontSize: 11 };
  const rounded = (value: number) => String(Number(value.toPrecision(2)));
  const extent = (factor: number) => (value: { min: number; max: number }) =>
    factor < 1 ? value.min * factor : value.max * factor;
  const range = Math.max(top - Math.min(...shown.map((point) => point.error)), 1e-4);
  return {
    grid: { left: 52, right: 14, top: 10, bottom: 28 },
    xAxis: {
      ...(numbers
        ? { type: 'log', min: extent(1 / 1.2), max: extent(1.2) }
        : { type: 'category', data: sortedTexts(values) }),
      axisLabel: { ...label, hideOverlap: true, ...(numbers && { formatter: rounded }) },
      axisLine: { ...line, onZero: false },
      splitLine: { show: false },
    } as EChartsOption['xAxis'],
    yAxis: {
      type: 'value',
      min: top - 1.05 * range,
      max: top + 0.03 * range,
      axisLabel: {
        ...label,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (value) => value.toFixed(3),
      },
      splitLine: line,
    },
    series: [
      {
        type: 'scatter',
        symbolSize: 7,
        data: shown.map((point, at) => ({
          value: [values[at] as number | string, point.error],
        })),
        itemStyle: { color: 'var(--accent)', opacity: 0.75 },
      },
      ...(['best', 'default'] as const).map((mark) => ({
        type: 'scatter' as const,
        symbol: mark === 'best' ? 'circle' : 'diamond',
        symbolSize: 15,
        data: shown.flatMap((point, at) =>
          point.mark === mark ? [{ value: [values[at] as number | string, point.error] }] : [],
        ),
        itemStyle: { color: 'none', borderColor: 'var(--ink)', borderWidth: 1.5 },
      })),
    ],
  };
}

const sortedTexts = (values: readonly unknown[]): string[] =>
  [...new Set(values.map(String))].sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2430; --faint: #5c6675; --line: #d9dde3; --accent: #1f6fb4; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e8ebf0; --faint: #a3adbb; --line: #333b47; --accent: #6cb2f0; } }
body { margin: 2rem auto; max-width: 1280px; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } p { max-width: 75ch; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); gap: 1.5rem; }
figure { margin: 0; break-inside: avoid; } figure svg { width: 100%; height: auto; }
.key { margin-right: 1em; white-space: nowrap; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; } th { font-weight: 600; color: var(--faint); }
`;
