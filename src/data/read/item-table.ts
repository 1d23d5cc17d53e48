/** What is known of items beside their ratings, by id. */
export interface ItemTable {
  readonly titles: ReadonlyMap<string, string>;
  readonly genres: ReadonlyMap<string, readonly string[]>;
}

/** `Comedy|Drama`; what stands in parentheses, such as `(no genres listed)`, is no genre. */
export const genresIn = (cell: string): string[] =>
  cell.split('|').filter((genre) => genre !== '' && !genre.startsWith('('));
