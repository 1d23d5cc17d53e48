import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path && existsSync(path));

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const OF_TESTS = [
  '--disable-gpu',
  // Compiling ONNX Runtime a second time, for speed, takes longer than what is run here.
  '--js-flags=--no-wasm-tier-up --no-wasm-dynamic-tiering',
];

export const NO_CHROMIUM = 'no Chromium: install it, or name its program in CHROMIUM';

/** Starts Chromium; undefined if there is none. */
export const launchChromium = async (more: readonly string[] = OF_TESTS): Promise<Browser | undefined> =>
  executablePath ? chromium.launch({ executablePath, args: [...ARGUMENTS, ...more], timeout: 0 }) : undefined;
