/** Colours by name. Those that are also in `src/page/styles/base.css` are its variables, such as `--strong-line`. */
export interface Palette {
  /** Behind everything. */
  readonly page: string;
  /** Behind what stands out. */
  readonly card: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly accent: string;
  /** Behind notes. */
  readonly accentSoft: string;
  readonly bad: string;
  readonly badSoft: string;
  /** Lines of charts beside `accent`. */
  readonly second: string;
  readonly third: string;
  /** Colours of the nine most common genres, in order. */
  readonly genres: readonly string[];
  readonly other: string;
}

// Paul Tol's qualitative schemes, which people with any colour vision can distinguish: "muted" in light mode, "light" in
// dark mode (https://personal.sron.nl/~pault/).
export const LIGHT: Palette = {
  page: '#f6f7f9',
  card: '#ffffff',
  ink: '#17212b',
  soft: '#55616e',
  line: '#dfe3e8',
  accent: '#0b6b63',
  accentSoft: '#e0f0ee',
  bad: '#9b2237',
  badSoft: '#fbeaec',
  second: '#b04a5a',
  third: '#a3690f',
  genres: ['#cc6677', '#332288', '#117733', '#88ccee', '#ddaa33', '#882255', '#44aa99', '#999933', '#aa4499'],
  other: '#9aa3ad',
};

export const DARK: Palette = {
  page: '#12171c',
  card: '#1a2128',
  ink: '#e8edf2',
  soft: '#a3afbb',
  line: '#2f3943',
  accent: '#63d0c0',
  accentSoft: '#1c3835',
  bad: '#ff9fae',
  badSoft: '#3a2127',
  second: '#ffaabb',
  third: '#eedd88',
  genres: ['#ee8866', '#77aadd', '#44bb99', '#99ddff', '#eedd88', '#ffaabb', '#bbcc33', '#aaaa00', '#c58be0'],
  other: '#7d8894',
};

/** The font of all text. */
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

type Colour = Exclude<keyof Palette, 'genres'>;

/** The name of a colour's CSS variable: `--accent-soft` for `accentSoft`. */
export const variableOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** CSS variables of a palette, such as `--ink`. */
export const variables = ({ genres: _, ...colours }: Palette): string =>
  Object.entries(colours)
    .map(([name, value]) => `${variableOf(name)}: ${value};`)
    .join(' ');

/** Colours as CSS variables, so that the same SVG works in light, in dark and on paper. */
export const VARIABLES = Object.fromEntries(
  Object.keys({ ...LIGHT, genres: undefined }).map((name) => [name, `var(${variableOf(name)})`]),
) as Readonly<Record<Colour, string>>;
