/** Text from a file for a message: in quotes, and cut to 40 characters. */
export function quoted(text: string): string {
  return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
}

/** The first twelve names of a list, for a message. */
export function list(names: string[]): string {
  return names.slice(0, 12).map(quoted).join(', ') + (names.length > 12 ? ', …' : '');
}

/**
 * Splits a line of delimited text into fields (RFC 4180).
 *
 * @param quote whether fields may be in quotes
 * @param open whether the line continues a quoted field of the line before
 * @returns the fields; `open`: whether the last one continues in the next line; `broken`: whether text follows a closing
 *   quote
 */
export function splitLine(
  line: string,
  delimiter: string,
  quote: boolean,
  open = false,
): { fields: string[]; open: boolean; broken: boolean } {
  const fields: string[] = [];
  let field = '';
  let at = 0;
  for (;;) {
    // As in DuckDB and other readers, one space may precede a quote, and any number may follow it.
    const mark = line[at] === ' ' ? at + 1 : at;
    if (quote && !open && field === '' && line[mark] === '"') {
      open = true;
      at = mark + 1;
    }
    while (open) {
      const end = line.indexOf('"', at);
      if (end === -1) return { fields: [...fields, field + line.slice(at)], open, broken: false };
      open = line[end + 1] === '"';
      field += line.slice(at, open ? end + 1 : end);
      at = open ? end + 2 : end + 1;
      if (open) continue;
      while (line[at] === ' ' && delimiter !== ' ') at++;
      if (at < line.length && !line.startsWith(delimiter, at)) return { fields, open, broken: true };
    }
    const end = line.indexOf(delimiter, at);
    fields.push(field + line.slice(at, end === -1 ? undefined : end));
    if (end === -1) return { fields, open, broken: false };
    field = '';
    at = end + delimiter.length;
  }
}

/** The delimiter that splits a line into the most fields. */
export function likelyDelimiter(line: string): string {
  const fields = (delimiter: string) => splitLine(line, delimiter, delimiter !== '::').fields.length;
  return [',', '\t', ';', '|', '::'].reduce((best, next) => (fields(next) > fields(best) ? next : best));
}
