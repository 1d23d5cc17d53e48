/**
 * A table in Markdown.
 *
 * @param cells a line of headings, and the rest; columns of numbers go to the right
 */
export function markdownTable(cells: readonly (readonly string[])[]): string {
  const [head, ...rows] = cells;
  const isNumber = head.map((_, column) =>
    rows.every((row) => /^[-−–+±\d., %·⁻⁰¹²³⁴-⁹e]*$/.test(row[column])),
  );
  const widths = head.map((_, column) => Math.max(3, ...cells.map((line) => line[column].length)));
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, at) => (isNumber[at] ? text.padStart(widths[at]) : text.padEnd(widths[at]))).join(' | ')} |`;
  const rule = line(
    widths.map((width, at) => (isNumber[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))),
  );
  return [line(head), rule, ...rows.map(line)].join('\n');
}
