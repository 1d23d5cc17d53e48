/** What a page pays to use cofactor, in bytes after minification and gzip. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Bytes after gzip, of our own code alone, that each part may have. */
export const BUDGETS = {
  /** Paid by every page: to load a model, and to ask it. Questions and files of a wrong shape are refused in words, and what keeps a model from running is named. Of the code that it shares with the server, a deadline takes 0.1; bounds on models of strangers take 0.2; messages that a terminal may get, and what is wrong with a table of items, take 0.25. That only public files are fetched, and that others should not lie beside, takes 0.3; the judgement in a manifest 0.28. */
  'src/web.ts': 10.3 * 1024,
  /**
   * Fetched when a page reads a file or trains: what reads ratings and interactions in any encoding, and names what it cannot
   * read; graphs, gradients, the trainer, what writes the files, the table of choices with its texts. Clipping takes 0.25; biases by empirical Bayes, and the pull to priors, 3; judging beside baselines, and the noun of items, 2.4. What solves for weights
   * between items, and what decompresses zstd, is fetched apart, where it is needed.
   */
  'src/web/worker.ts': 86 * 1024,
};

export type Part = keyof typeof BUDGETS;

export interface Size {
  /** Our code alone. */
  readonly own: number;
  /** With the packages that it uses, but ONNX Runtime, and without what is fetched only where it is needed. */
  readonly whole: number;
}

export async function sizeOf(part: Part): Promise<Size> {
  const [own, whole] = await Promise.all([bundled(part, '*'), bundled(part, 'onnxruntime-web/*')]);
  return { own, whole };
}

async function bundled(entry: Part, external: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    outdir: 'size',
    ...(external === '*' ? { packages: 'external' as const } : { external: [external] }),
  });
  // The entry and the chunks that it cannot start without.
  const outputs = Object.values(metafile.outputs);
  const needed = new Set(outputs.filter(({ entryPoint }) => entryPoint === entry));
  for (const { imports } of needed)
    for (const { path, kind } of imports)
      if (kind === 'import-statement' && metafile.outputs[path]) needed.add(metafile.outputs[path]);
  return outputFiles
    .filter((_, index) => needed.has(outputs[index]))
    .reduce((sum, { contents }) => sum + gzipped(contents), 0);
}

export const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;
