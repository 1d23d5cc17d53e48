/** Takes the pictures of the README: the page with the demo model, and the terminal after the README's first commands. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { launch } from './bench/web/browser.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const cli = join(root, 'dist/cli.js');
const images = join(root, 'docs/images');
const sample = join(root, 'src/data/sample/ml-latest-small');
/** What the visitor of the page has rated. */
const RATED = { '1': 5, '296': 5, '110': 3, '356': 2 };
const COMMANDS = [
  'train ratings.csv --titles movies.csv --seen --valid 0.2 --out movies',
  'recommend movies --user 414 -k 3',
  'similar movies --item 296 -k 3',
];
const COLUMNS = 80;

async function page(): Promise<void> {
  const model = join(root, 'artifacts/ml-latest-small');
  const server = spawn(process.execPath, [cli, 'serve', model, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const browser = await launch();
  try {
    const [line] = await once(server.stdout, 'data');
    const [url] = /http:\/\/[\d.]+:\d+/.exec(String(line)) ?? [];
    if (!url) throw new Error('the server does not start');
    const titles = JSON.parse(await readFile(join(model, 'titles.json'), 'utf8'));
    const rated = Object.entries(RATED).map(([item, rating]) => ({ item, rating, title: titles[item] }));
    const context = await browser.newContext({ viewport: { width: 1060, height: 780 } });
    await context.addInitScript(
      (ratings) => localStorage.setItem('cofactor.ratings', ratings),
      JSON.stringify(rated),
    );
    const opened = await context.newPage();
    await opened.goto(url);
    await opened.getByRole('heading', { name: 'Recommended for you' }).waitFor();
    await opened.locator('.recommendation').nth(9).waitFor();
    await opened.waitForLoadState('networkidle');
    await opened.screenshot({ path: join(images, 'page.png') });
  } finally {
    await browser.close();
    server.kill();
  }
}

/** As text of an SVG, which joins spaces unless they are non-breaking. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0');

/** Lines of a terminal, in which long lines are wrapped. */
const wrapped = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .flatMap((line) => line.match(new RegExp(`.{1,${COLUMNS}}`, 'gu')) ?? ['']);

async function terminal(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cofactor-pictures-'));
  const lines: { text: string; isCommand: boolean }[] = [];
  try {
    for (const name of ['ratings.csv', 'movies.csv'])
      await writeFile(join(folder, name), gunzipSync(await readFile(join(sample, `${name}.gz`))));
    for (const command of COMMANDS) {
      const { stdout } = await promisify(execFile)(process.execPath, [cli, ...command.split(' ')], {
        cwd: folder,
      });
      lines.push(...wrapped(`$ npx cofactor ${command}`).map((text) => ({ text, isCommand: true })));
      lines.push(...wrapped(stdout).map((text) => ({ text, isCommand: false })));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const [width, height] = [COLUMNS * 8.43 + 32, lines.length * 20 + 28];
  const texts = lines.map(
    ({ text, isCommand }, line) =>
      `<text x="16" y="${30 + 20 * line}" fill="${isCommand ? '#8fd3ff' : '#e6e6e6'}">${escaped(text)}</text>`,
  );
  const font = 'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14"';
  await writeFile(
    join(images, 'train.svg'),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ${font}>
<title>The terminal after cofactor train, recommend and similar</title>
<rect width="100%" height="100%" rx="8" fill="#1b1f24"/>
${texts.join('\n')}
</svg>
`,
  );
}

await page();
await terminal();
