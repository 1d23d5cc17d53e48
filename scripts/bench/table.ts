/**
 * A table in Markdown: a line of headings, and the rest.
 *
 * @param isNumber whether a column is of numbers, which go to the right: all but the first two unless told otherwise
 */
export function markdownTable(
  cells: readonly (readonly string[])[],
  isNumber: (column: number) => boolean = (column) => column >= 2,
): string {
  const widths = cells[0].map((_, column) => Math.max(3, ...cells.map((line) => line[column].length)));
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, at) => (isNumber(at) ? text.padStart(widths[at]) : text.padEnd(widths[at]))).join(' | ')} |`;
  const rule = line(
    widths.map((width, at) => (isNumber(at) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))),
  );
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n');
}
