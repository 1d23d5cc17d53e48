import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, NO_CHROMIUM } from '../../../test/support/chromium.ts';
import { TYPES } from '../../../test/support/content-types.ts';

/**
 * Starts Chromium. Default: without graphics.
 *
 * @throws if there is no Chromium
 */
export async function launch(more: readonly string[] = ['--disable-gpu']): Promise<Browser> {
  const browser = await launchChromium(more);
  if (!browser) throw new Error(NO_CHROMIUM);
  return browser;
}

const EMPTY = '<!doctype html><title>Benchmark</title>';

export interface Host {
  /** Ends in `/`. The page there is empty unless a folder contains another. */
  readonly url: string;
  /** Requested paths and the bytes sent, in order. */
  readonly sent: { readonly path: string; readonly bytes: Buffer }[];
  close(): void;
}

/** Serves folders as a static host does, on a free port of loopback. @param mounts folders by path */
export async function host(mounts: Readonly<Record<string, string>>): Promise<Host> {
  const sent: Host['sent'] = [];
  const prefixes = Object.keys(mounts).toSorted((one, other) => other.length - one.length);
  const server = createServer(async ({ url = '' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://host').pathname);
    const mount = prefixes.find((prefix) => path.startsWith(prefix)) ?? '/';
    const name = path.slice(mount.length) || 'index.html';
    const file = await readFile(join(mounts[mount] ?? '', name)).catch(() => undefined);
    const bytes = file ?? (path === '/' ? Buffer.from(EMPTY) : undefined);
    if (!bytes) return response.writeHead(404).end();
    sent.push({ path, bytes });
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, sent, close: () => server.close() };
}

/** tsx adds calls of this helper to functions; those that are sent to a page need it there. */
export const NAMES = 'globalThis.__name = (one) => one';

/** Opens a page in a new profile; `library` is cofactor there. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(NAMES);
  await page.goto(url);
  await page.addScriptTag({
    type: 'module',
    content: `import * as library from '/cofactor/web.js'; globalThis.library = library;`,
  });
  await page.waitForFunction('globalThis.library');
  return page;
}
