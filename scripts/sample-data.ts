// Writes the sample data that stands for a shop and for a music service: src/data/sample/shop and src/data/sample/plays.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { plays } from '../test/support/made-up/plays.ts';
import { shop } from '../test/support/made-up/shop.ts';

const folder = fileURLToPath(new URL('../src/data/sample', import.meta.url));
const { orders, articles } = shop();
for (const [name, text] of Object.entries({
  'shop/orders.csv': orders,
  'shop/articles.csv': articles,
  'plays/plays.csv': plays(),
})) {
  const file = join(folder, `${name}.gz`);
  const bytes = gzipSync(text, { level: 9 });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  console.log(`${name}.gz: ${text.split('\n').length - 1} lines, ${bytes.length} bytes`);
}
