import { type Html, html } from './html.ts';

export interface Section {
  /** For links to it. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** A sentence in place of what cannot be shown. */
export const missing = (why: string): Html => html`<p class="missing">${why}</p>`;
