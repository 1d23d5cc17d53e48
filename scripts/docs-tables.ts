/**
 * Fills the tables of the documents from `scripts/bench/results`: what stands between `<!-- table: NAME -->` and
 * `<!-- end -->` becomes the newest result of that name. With `--check` it changes nothing, and fails where a table differs.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { newestResult } from './bench/result.ts';
import { markdownTable } from './bench/table.ts';

const root = new URL('../', import.meta.url);
const MARKED = /(<!-- table: (\S+) -->\n)([\s\S]*?)(<!-- end -->)/g;

/** The text without its layout, which a formatter changes. */
const contents = (text: string): string => text.replace(/\s+/g, ' ').replace(/-{3,}/g, '---');

async function filled(name: string): Promise<string> {
  const { date, command, machine, note, columns, rows } = await newestResult(name);
  const source = [`Measured on ${date} by \`${command}\``, machine, ...(note ? [note] : [])].join('; ');
  return `\n${markdownTable([columns, ...rows])}\n\n${source}.\n\n`;
}

const documents = ['README.md', ...(await readdir(new URL('docs/', root))).map((name) => `docs/${name}`)];
for (const document of documents.filter((name) => name.endsWith('.md'))) {
  const file = new URL(document, root);
  let text = await readFile(file, 'utf8');
  for (const [whole, start, name, found, end] of text.matchAll(MARKED)) {
    const wanted = await filled(name);
    if (contents(found) === contents(wanted)) continue;
    if (process.argv.includes('--check')) {
      console.error(`${document}: the table ${name} is not what its file gives; run npm run docs:tables`);
      process.exitCode = 1;
    }
    text = text.replace(whole, () => start + wanted + end);
  }
  if (!process.argv.includes('--check')) await writeFile(file, text);
}
