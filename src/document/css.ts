import { DARK, FONT, LIGHT, variables } from '../style/palette.ts';

/** The style sheet of documents: light, dark and on paper. */
export const STYLE = `
:root { color-scheme: light; ${variables(LIGHT)} }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; ${variables(DARK)} }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto; max-width: 70rem; padding: 3rem 1.5rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 ${FONT};
  overflow-wrap: anywhere;
}
h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; break-after: avoid; }
h1 { margin: 0; font-size: clamp(1.75rem, 1.2rem + 2vw, 2.5rem); letter-spacing: -0.025em; }
h2 { margin: 0 0 0.75rem; font-size: 1.5rem; letter-spacing: -0.015em; }
h3 { margin: 2rem 0 0.5rem; font-size: 1.0625rem; }
h4 { margin: 0 0 0.375rem; padding-bottom: 0.25rem; border-bottom: 2px solid var(--accent); font-size: 0.9375rem; }
h4 span { color: var(--accent); }
p { margin: 0 0 1rem; max-width: 72ch; text-wrap: pretty; }
a { color: var(--accent); text-underline-offset: 0.15em; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code { font: 0.8125em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.eyebrow { margin: 0 0 0.25rem; color: var(--accent); font-size: 0.875rem; font-weight: 600; }
.lead { margin: 0.5rem 0 0; color: var(--soft); font-size: 1.0625rem; }
.source { font-weight: 600; }
.verdict { font-size: 1.25rem; font-weight: 600; line-height: 1.4; }

.in-short { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1rem 1.5rem; margin: 2rem 0 0; }
.in-short div { display: flex; flex-direction: column-reverse; justify-content: flex-end; padding-top: 0.625rem; border-top: 2px solid var(--accent); }
.in-short dt { color: var(--soft); font-size: 0.875rem; }
.in-short dd { margin: 0; font-size: 1.625rem; font-weight: 650; letter-spacing: -0.02em; line-height: 1.2; font-variant-numeric: tabular-nums; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 2rem 0 0; padding: 0; list-style: none; font-size: 0.9375rem; }

section { margin-top: 2.5rem; padding-top: 2.5rem; border-top: 1px solid var(--line); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem 3.5rem; align-items: start; }
.columns h3 { margin-top: 0.5rem; }
.columns dl + h3 { margin-top: 1.5rem; }
dl { margin: 0; }
dl:not(.in-short) > div { display: grid; grid-template-columns: minmax(8rem, 2fr) 3fr; gap: 1rem; padding: 0.3125rem 0; border-bottom: 1px solid var(--line); font-size: 0.9375rem; }
dt { color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 2.5rem 3.5rem; margin-top: 2rem; }
figure { margin: 0; max-width: 36rem; break-inside: avoid; }
figure.map { max-width: none; margin-top: 1.5rem; }
figcaption { color: var(--soft); font-size: 0.9375rem; margin-bottom: 0.75rem; max-width: 72ch; }
figcaption b { display: block; color: var(--ink); font-size: 1rem; }
svg { display: block; width: 100%; height: auto; }
.map svg { border: 1px solid var(--line); background: var(--card); border-radius: 10px; }
.narrow { display: none; }
@media (max-width: 40rem) {
  body { padding: 2rem 1rem 3rem; }
  .wide { display: none; }
  .narrow { display: block; }
  /* A chart is scaled to the width of the phone, so its text must be larger. */
  .figures svg text { font-size: 14px !important; }
}

.scroll { overflow-x: auto; }
details { margin-top: 0.75rem; font-size: 0.9375rem; }
summary { width: fit-content; color: var(--accent); cursor: pointer; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
details table { margin-top: 0.5rem; }
caption { padding: 0.25rem 0; font-weight: 600; text-align: start; }
details caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 0.3125rem 0 0.3125rem 0.75rem; border-bottom: 1px solid var(--line); text-align: start; vertical-align: baseline; }
th:first-child { padding-left: 0; }
tbody th { font-weight: 400; }
.baselines tbody th { min-width: 5.5rem; }
thead th { color: var(--soft); font-size: 0.8125rem; font-weight: 500; }
th.number, td.number { text-align: end; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
tr { break-inside: avoid; }
.ends { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); gap: 1.5rem 2rem; }
.ends > div { break-inside: avoid; }
.ends ol { margin: 0; padding: 0; list-style: none; font-size: 0.9375rem; }
.ends li { padding: 0.3125rem 0; border-bottom: 1px solid var(--line); }
article { break-inside: avoid; }
.notice, .missing { padding: 0.75rem 1rem; border-left: 3px solid var(--accent); background: var(--accent-soft); }
.notice { border-color: var(--bad); background: var(--bad-soft); }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: 0.875rem; }

@media print {
  @page { margin: 16mm 15mm; }
  :root { --page: #ffffff; }
  * { print-color-adjust: exact; }
  html { font-size: 12px; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  nav, details:not(.kept), .narrow { display: none; }
  .wide { display: block; }
  section { margin-top: 2rem; padding-top: 0; border-top: 0; }
  p { break-inside: avoid; }
  .columns { grid-template-columns: 1fr 1fr; gap: 1.5rem 2rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: 2rem; }
  .ends { grid-template-columns: repeat(4, 1fr); gap: 1.25rem; }
  .ends ol { font-size: 0.875rem; }
  .ends li { padding: 0.125rem 0; }
  footer { break-before: avoid; }
}
`;
