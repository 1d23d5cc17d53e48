/** Measures a visit of the real page with the demo model, from navigation to the first recommendation, and what it fetches. */
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { build } from 'vite';
import { host, NAMES } from './browser.ts';
import { gzipped, root } from './bundles.ts';
import { median } from './training.ts';

const VISITS = 5;
const LONGEST = 30_000;
const HEADING = 'Recommended for you';

/** Ratings of an earlier visit, as the page stores them. */
const RATED = ['1', '296', '318'].map((item) => ({ item, rating: 5, title: item }));

export interface Fetched {
  readonly what: string;
  readonly files: number;
  readonly bytes: number;
  readonly gzip: number;
}

export interface Visit {
  /** Milliseconds from navigation until recommendations are shown: in a new profile, and on the second visit. */
  readonly first: number;
  readonly second: number;
  /** What the first visit fetches until then. */
  readonly fetched: readonly Fetched[];
}

/** @param folder for the built page */
export async function measureVisit(browser: Browser, folder: string, model: string): Promise<Visit> {
  await build({
    configFile: join(root, 'scripts/page.config.mjs'),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  const site = await host({ '/': folder, '/model/': model });
  try {
    const first: number[] = [];
    const second: number[] = [];
    let fetched: Fetched[] = [];
    for (let visit = 0; visit < VISITS; visit++) {
      site.sent.length = 0;
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      await context.addInitScript(NAMES);
      await context.addInitScript(watch, { heading: HEADING, rated: RATED, longest: LONGEST });
      first.push(await untilShown(context, site.url));
      fetched = summaryOf(site.sent);
      second.push(await untilShown(context, site.url));
      await context.close();
    }
    return { first: median(first), second: median(second), fetched };
  } finally {
    site.close();
  }
}

declare global {
  /** In the page: the time at which recommendations appeared; undefined if they did not. */
  var shown: Promise<number | undefined>;
}

/** Runs in the page before anything else. */
function watch({ heading, rated, longest }: { heading: string; rated: typeof RATED; longest: number }): void {
  localStorage.setItem('cofactor.ratings', JSON.stringify(rated));
  const isShown = () =>
    [...document.querySelectorAll('h2')].some(
      (title) => title.textContent?.trim() === heading && title.closest('section')?.querySelector('ol > li'),
    );
  globalThis.shown = new Promise((resolve) => {
    setTimeout(resolve, longest);
    new MutationObserver((_, observer) => {
      if (!isShown()) return;
      observer.disconnect();
      resolve(performance.now());
    }).observe(document, { childList: true, subtree: true });
  });
}

async function untilShown(context: BrowserContext, url: string): Promise<number> {
  const page = await context.newPage();
  await page.goto(url);
  const milliseconds = await page.evaluate(() => shown);
  if (milliseconds === undefined) throw new Error(`the page shows no list under "${HEADING}"`);
  await page.close();
  return milliseconds;
}

const kindOf = (path: string): string => {
  if (path.startsWith('/model/')) return path.slice(1);
  if (path.endsWith('.wasm')) return 'ONNX Runtime: .wasm';
  if (/\bort[.-]/.test(path)) return 'ONNX Runtime: JavaScript';
  return `the page: ${path.endsWith('/') ? 'HTML' : path.split('.').at(-1)}`;
};

function summaryOf(sent: readonly { readonly path: string; readonly bytes: Buffer }[]): Fetched[] {
  const kinds = [...new Set(sent.map(({ path }) => kindOf(path)))];
  return kinds.map((what) => {
    const files = sent.filter(({ path }) => kindOf(path) === what);
    return {
      what,
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0),
      gzip: files.reduce((sum, { bytes }) => sum + gzipped(bytes), 0),
    };
  });
}
