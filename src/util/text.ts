/** Text from a file for a message: in quotes, and cut to 40 characters. */
export function quoted(text: string): string {
  return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
}

/** The first twelve names of a list, for a message. */
export function list(names: string[]): string {
  return names.slice(0, 12).map(quoted).join(', ') + (names.length > 12 ? ', …' : '');
}
