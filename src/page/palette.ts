/** Colours of charts, which cannot use those of the style sheet. */
export interface Palette {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly card: string;
  readonly accent: string;
  readonly second: string;
  readonly third: string;
  /** Colours of the nine most common genres, in order. */
  readonly genres: readonly string[];
  readonly other: string;
}

// Paul Tol's qualitative schemes, which people with any colour vision can distinguish: "muted" in light mode, "light" in
// dark mode (https://personal.sron.nl/~pault/).
export const LIGHT: Palette = {
  ink: '#17212b',
  soft: '#55616e',
  line: '#dfe3e8',
  card: '#ffffff',
  accent: '#0b6b63',
  second: '#b04a5a',
  third: '#a3690f',
  genres: ['#cc6677', '#332288', '#117733', '#88ccee', '#ddaa33', '#882255', '#44aa99', '#999933', '#aa4499'],
  other: '#9aa3ad',
};

export const DARK: Palette = {
  ink: '#e8edf2',
  soft: '#a3afbb',
  line: '#2f3943',
  card: '#1a2128',
  accent: '#63d0c0',
  second: '#ffaabb',
  third: '#eedd88',
  genres: ['#ee8866', '#77aadd', '#44bb99', '#99ddff', '#eedd88', '#ffaabb', '#bbcc33', '#aaaa00', '#c58be0'],
  other: '#7d8894',
};
