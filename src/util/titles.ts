/** A title in its usual form: `The Matrix` and 1999 for `Matrix, The (1999)`. */
export interface ReadableTitle {
  readonly name: string;
  readonly year?: string;
  /** The name, with the year in brackets if there is one. */
  readonly title: string;
}

const YEAR = /^(.*\S)\s*\(((?:19|20)\d\d)(?:[–-](?:(?:19|20)\d\d)?)?\)\s*$/;
const ARTICLES = 'The|A|An|Le|La|Les|Der|Die|Das|Il|El|Los|Las';
const ARTICLE = new RegExp(`^(.*), (${ARTICLES})((?: \\(.*\\))?)$`);
const FIRST_ARTICLE = new RegExp(`^(?:${ARTICLES}) (?=.)`);

/** A name without the article that it begins with. */
export const withoutArticle = (name: string): string => name.replace(FIRST_ARTICLE, '');

export function readableTitle(title: string): ReadableTitle {
  const [, whole = title, year] = YEAR.exec(title) ?? [];
  const name = whole.replace(ARTICLE, '$2 $1$3');
  return year === undefined ? { name, title: name } : { name, year, title: `${name} (${year})` };
}

/** A text that is cut off where it is longer than so many characters. */
export const shortened = (text: string, most: number): string =>
  [...text].length > most
    ? `${[...text]
        .slice(0, most - 2)
        .join('')
        .trimEnd()}…`
    : text;
