import { type Html, html } from './html.ts';

/** The name of a column. Columns of numbers are aligned right. */
export type Column = string | { readonly number: string };

export type Cell = Html | string;

/** Columns of numbers with these names. */
export const numbers = (...names: readonly string[]): Column[] => names.map((number) => ({ number }));

const isNumber = (column: Column): boolean => typeof column !== 'string';

/** A table. The first cell of each row is a header. */
export function table(
  caption: string | Html,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): Html {
  const kind = (at: number) => isNumber(columns[at]) && html` class="number"`;
  return html`<table>
<caption>${caption}</caption>
<thead><tr>${columns.map(
    (column, at) =>
      html`<th scope="col"${kind(at)}>${typeof column === 'string' ? column : column.number}</th>`,
  )}</tr></thead>
<tbody>${rows.map(
    ([first, ...others]) =>
      html`<tr><th scope="row"${kind(0)}>${first}</th>${others.map(
        (cell, at) => html`<td${kind(at + 1)}>${cell}</td>`,
      )}</tr>
`,
  )}</tbody>
</table>`;
}

/** Names and values. Undefined values are left out. */
export const facts = (entries: readonly (readonly [string, Cell | undefined])[], kind?: string): Html =>
  html`<dl${kind && html` class="${kind}"`}>${entries.map(
    ([name, value]) => value !== undefined && html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;

/** The most important numbers, in large print. */
export const inShort = (entries: Parameters<typeof facts>[0]): Html => facts(entries, 'in-short');
