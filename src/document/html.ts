import { STYLE } from './css.ts';

/** Markup that is already escaped. */
export class Html {
  constructor(readonly markup: string) {}
}

type Part = Html | string | number | undefined | false | readonly Part[];

/**
 * A template of markup. Values are escaped unless they are `Html`. Lists are joined; undefined and false give nothing. A
 * value may be between tags or in a quoted attribute.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(String.raw({ raw: strings }, ...parts.map(markupOf)));
}

function markupOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(markupOf).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A sentence that says why something is not shown. */
export const missing = (why: string): Html => html`<p class="missing">${why}</p>`;

// With this policy the page cannot run or load anything, whatever it contains.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The line of a page that says what made it, by which it is known again. */
export const MADE_BY = '<meta name="generator" content="cofactor">';

/** What a document is, its title, and what it says in short; more may follow. */
export const headerOf = (kind: string, title: string, lead: Html | string, more?: Html): Html =>
  html`<header>
<p class="eyebrow">${kind}</p>
<h1>${title}</h1>
<p class="lead">${lead}</p>
${more}
</header>`;

/** A page in one file, without scripts, fonts or network. */
export const pageOf = (title: string, body: Html): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${new Html(MADE_BY)}
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>
`.markup;
