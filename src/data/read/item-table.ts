/** Titles and genres of items, by id. */
export interface ItemTable {
  readonly titles: ReadonlyMap<string, string>;
  readonly genres: ReadonlyMap<string, readonly string[]>;
}

/** The genres in a cell such as `Comedy|Drama`. Text in parentheses, such as `(no genres listed)`, is not a genre. */
export const genresIn = (cell: string): string[] =>
  cell.split('|').filter((genre) => genre !== '' && !genre.startsWith('('));
