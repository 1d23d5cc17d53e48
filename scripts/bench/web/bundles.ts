/** What a page would load, built as a page would have it: one file for each way of doing the same work, and its size. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
const here = fileURLToPath(new URL('./', import.meta.url));
const packages = join(here, 'node_modules');

export interface Size {
  readonly name: string;
  readonly minified: number;
  readonly gzip: number;
}

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  logLevel: 'error',
} satisfies BuildOptions;

export const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

export const sizeOf = (name: string, ...files: readonly Uint8Array[]): Size => ({
  name,
  minified: files.reduce((sum, { length }) => sum + length, 0),
  gzip: files.reduce((sum, file) => sum + gzipped(file), 0),
});

/** The library, whole, as `scripts/build.mjs` makes it for pages without a bundler, and ONNX Runtime beside it. */
export async function buildLibrary(folder: string): Promise<Size[]> {
  const worker: Plugin = {
    name: 'worker',
    setup: ({ onLoad }) =>
      onLoad({ filter: /web[\\/]train\.ts$/ }, async ({ path }) => ({
        contents: (await readFile(path, 'utf8')).replace('./worker.ts', './web-worker.js'),
        loader: 'ts',
      })),
  };
  const { metafile } = await build({
    ...common,
    entryPoints: { web: 'src/web.ts', 'web-worker': 'src/web/worker.ts' },
    splitting: true,
    metafile: true,
    outdir: folder,
    plugins: [worker],
  });
  const wasm = 'ort-wasm-simd-threaded.wasm';
  await copyFile(join(root, 'node_modules/onnxruntime-web/dist', wasm), join(folder, wasm));
  const web = needed(metafile, 'src/web.ts');
  const training = [...needed(metafile, 'src/web/worker.ts')].filter((path) => !web.has(path));
  const runtime = Object.keys(metafile.outputs).filter((path) =>
    metafile.outputs[path].entryPoint?.includes('onnxruntime-web'),
  );
  const read = (paths: Iterable<string>) => Promise.all([...paths].map((path) => readFile(join(root, path))));
  return [
    sizeOf('cofactor: to load a model and ask it', ...(await read(web))),
    sizeOf('cofactor: what training adds', ...(await read(training))),
    sizeOf('ONNX Runtime: JavaScript', ...(await read(runtime))),
    sizeOf('ONNX Runtime: .wasm', await readFile(join(folder, wasm))),
  ];
}

/** An entry's file and those that it cannot start without. */
function needed({ outputs }: Metafile, entry: string): Set<string> {
  const found = new Set(Object.keys(outputs).filter((path) => outputs[path].entryPoint === entry));
  for (const path of found)
    for (const { path: other, kind } of outputs[path].imports)
      if (kind === 'import-statement' && outputs[other]) found.add(other);
  return found;
}

export const BACKENDS = ['wasm', 'webgl', 'cpu'] as const;

export type Backend = (typeof BACKENDS)[number];

/** Installs TensorFlow.js, once. @throws the reason, if it cannot be had */
export async function installTensorflow(): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
  if (Object.keys(dependencies).every((name) => existsSync(join(packages, name)))) return;
  console.error('installing TensorFlow.js');
  const flags = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  // On Windows npm is a script of the shell's.
  const options = { shell: process.platform === 'win32' };
  await promisify(execFile)('npm', ['install', '--prefix', here, ...flags], options).catch(
    (error: Error & { stderr?: string }) => {
      throw new Error(
        `TensorFlow.js could not be installed: ${error.stderr?.trim().split('\n').at(-1) ?? error.message}`,
      );
    },
  );
}

const GRADIENTS = `import '@tensorflow/tfjs-core/dist/register_all_gradients';`;

/** The worker with all of a backend, imported as its README says. */
export async function buildTensorflow(folder: string, backend: Backend): Promise<void> {
  const code = `import '@tensorflow/tfjs-backend-${backend}'; ${GRADIENTS}`;
  await writeFile(join(folder, `${backend}.js`), await bundled(code, backend));
  const wasm = 'tfjs-backend-wasm-simd.wasm';
  await copyFile(join(packages, '@tensorflow/tfjs-backend-wasm/dist', wasm), join(folder, wasm));
}

/**
 * The sizes of the ways to bundle the worker: with the package that has everything, with one backend, and with the kernels
 * that it needs alone, which TensorFlow.js's own tool picks.
 *
 * @param folder for what the tool writes
 * @param kernels those that the training ran
 */
export async function tensorflowSizes(folder: string, kernels: readonly string[]): Promise<Size[]> {
  const sizes = [sizeOf('TensorFlow.js: @tensorflow/tfjs', await bundled(`import '@tensorflow/tfjs';`))];
  for (const backend of BACKENDS) {
    const standard = `import '@tensorflow/tfjs-backend-${backend}'; ${GRADIENTS}`;
    sizes.push(sizeOf(`TensorFlow.js: core and ${backend}`, await bundled(standard, backend)));
    const config = { kernels, backends: [backend], models: [], outputPath: folder, forwardModeOnly: false };
    await writeFile(join(folder, 'custom.json'), JSON.stringify(config));
    const tool = join(packages, '@tensorflow/tfjs/dist/tools/custom_module/cli.js');
    await promisify(execFile)(process.execPath, [tool, '--config', join(folder, 'custom.json')]);
    await correct(join(folder, 'custom_tfjs.js'));
    const custom = await bundled(`import '${CUSTOM}';`, backend, folder);
    await writeFile(join(folder, `custom-${backend}.js`), custom);
    sizes.push(sizeOf(`TensorFlow.js: ${backend}, needed kernels alone`, custom));
  }
  const wasm = join(packages, '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm');
  return [...sizes, sizeOf('TensorFlow.js: .wasm', await readFile(wasm))];
}

/** The tool of 4.22 takes two gradients for named as their kernels are. */
async function correct(file: string): Promise<void> {
  const code = await readFile(file, 'utf8');
  const right = code
    .replaceAll('gatherV2GradConfig', 'gatherGradConfig')
    .replaceAll('realDivGradConfig', 'divGradConfig');
  await writeFile(file, right);
}

const CUSTOM = './custom_tfjs.js';

/** @param custom where the tool wrote what takes the place of TensorFlow.js's core */
async function bundled(imports: string, backend?: Backend, custom?: string): Promise<Uint8Array> {
  const from = custom ? CUSTOM : '@tensorflow/tfjs-backend-wasm';
  const wasm = `import { setWasmPaths } from '${from}'; setWasmPaths(new URL('./', import.meta.url).href);`;
  const core: Plugin = {
    name: 'core',
    setup: ({ onResolve }) => {
      if (!custom) return;
      onResolve({ filter: /^@tensorflow\/tfjs-core$/ }, () => ({
        path: join(custom, 'custom_tfjs_core.js'),
      }));
      onResolve({ filter: /custom_tfjs\.js$/ }, () => ({ path: join(custom, CUSTOM) }));
    },
  };
  const { outputFiles } = await build({
    ...common,
    stdin: {
      contents: `${imports} ${backend === 'wasm' ? wasm : ''} import './tfjs-worker.mjs';`,
      resolveDir: here,
    },
    nodePaths: [packages],
    // What the WebAssembly backend asks for in Node alone.
    external: ['fs', 'path', 'worker_threads', 'perf_hooks', 'util', 'crypto'],
    plugins: [core],
    write: false,
  });
  return outputFiles[0].contents;
}
