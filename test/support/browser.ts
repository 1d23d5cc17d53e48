import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { launchChromium, NO_CHROMIUM } from './chromium.ts';
import { TYPES } from './content-types.ts';

/** A browser for all tests of a file, and a new profile, as of a first visit, for each. */
export function browserTests() {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => browser?.close());

  /**
   * A test that is skipped without a browser, and that fails when a page logs an error or a warning.
   *
   * @param logged errors that the page is to log
   */
  return (name: string, body: (context: BrowserContext) => Promise<void>, logged?: RegExp): void =>
    test(name, async (tested: TestContext) => {
      if (!browser) return tested.skip(NO_CHROMIUM);
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      // A busy machine may take any time; Vitest ends what hangs.
      context.setDefaultTimeout(0);
      const complaints: string[] = [];
      context.on('console', (message) => {
        // That there is no network is the browser's word, not the page's.
        if (
          ['error', 'warning'].includes(message.type()) &&
          !message.text().includes('INTERNET_DISCONNECTED') &&
          !logged?.test(message.text())
        )
          complaints.push(message.text());
      });
      context.on('weberror', (error) => complaints.push(String(error.error())));
      await body(context).finally(() => context.close());
      expect(complaints).toEqual([]);
    });
}

/**
 * A static host on a free port, which serves the files of folders.
 *
 * @param folders folders by URL path
 * @param headers more headers of every file
 */
export function staticHost(
  folders: () => Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) {
  let server: Server;
  beforeAll(async () => {
    server = createServer(async ({ url = '' }, response) => {
      const path = decodeURIComponent(new URL(url, 'http://host').pathname);
      const mounts = Object.entries(folders()).filter(([mount]) => path.startsWith(mount));
      const [mount, folder] = mounts.toSorted(([one], [other]) => other.length - one.length)[0] ?? [];
      const name = mount && path.slice(mount.length);
      const bytes = folder && (await readFile(join(folder, name || 'index.html')).catch(() => undefined));
      if (!bytes) return response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
      const type = TYPES[extname(name || 'index.html')] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, ...headers }).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server.close());
  return {
    get url(): string {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    },
  };
}
