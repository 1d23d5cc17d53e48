import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../support/python.ts';
import { type OrtModule, type Runtime, runCases } from './cases.ts';
import { chromiumRuntime } from './chromium.ts';
import { reader, readGolden, setOf } from './golden.ts';

const execute = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

export const runtimes: readonly Runtime[] = [
  npmPackage('onnxruntime-node', () => import('onnxruntime-node')),
  {
    ...npmPackage('onnxruntime-web', () => import('onnxruntime-web') as never),
    limits: {
      'byte-order-mark': 'drops a byte order mark at the start of a string of over 16 bytes that it gives',
    },
  },
  chromiumRuntime,
  python('onnxruntime'),
  python('reference'),
  {
    ...program('Java', {
      // A Java that runs source files has a compiler.
      fetch: [
        ['javac', '--version'],
        ['mvn', '--quiet', 'dependency:copy-dependencies'],
      ],
      run: ['java', '-cp', join('target', '*'), 'Run.java'],
    }),
    limits: { astral: 'neither takes nor gives characters beyond U+FFFF: its strings are modified UTF-8' },
  },
  program('Rust', {
    fetch: [
      ['cc', '--version'],
      ['cargo', 'fetch', '--quiet', '--locked'],
    ],
    build: ['cargo', 'build', '--quiet', '--locked', '--offline', '--target-dir', 'target'],
    run: [join('target', 'debug', 'conformance')],
  }),
  program('Go', {
    fetch: [
      ['cc', '--version'],
      ['go', 'mod', 'download'],
    ],
    build: ['go', 'build', '-o', join('target', 'conformance')],
    run: [join('target', 'conformance')],
  }),
];

/** Whether a file is of a kind that the runtime is known to get wrong. */
export const isBeyond = ({ limits = {} }: Runtime, model: string): boolean =>
  Object.keys(limits).some((kind) => setOf(model).endsWith(`-${kind}`));

/** What ONNX's checker has to say of each file in a folder, or null. */
export async function complaintsOf(folder: string): Promise<{
  readonly version: string;
  readonly complaints: Readonly<Record<string, string | null>>;
}> {
  return JSON.parse(await call([await pythonForOnnx(), join('python', 'check.py'), folder], here));
}

/** The Python that has ONNX and ONNX Runtime. */
export function pythonForOnnx(): Promise<string> {
  return pythonEnvironment('conformance', join(here, 'requirements.txt'));
}

/** The Python that has ONNX Runtime's training API. */
export function pythonForTraining(): Promise<string> {
  return pythonEnvironment('training', join(here, 'training', 'requirements.txt'));
}

/** Where Python finds `onnxruntime_training`, which stands beside the program that users run. */
export const withTrainingApi = { ...process.env, PYTHONPATH: join(here, '../../scripts/python') };

function npmPackage(
  name: string,
  load: () => Promise<OrtModule & { readonly env: { readonly versions: object } }>,
): Runtime {
  return {
    name,
    fetch: load,
    async run(folder) {
      const module = await load();
      const versions = module.env.versions as Readonly<Record<string, string>>;
      const version = versions[name.replace('onnxruntime-', '')] ?? versions.common;
      const results = await runCases(reader(folder), await readGolden(folder), module);
      return { runtime: name, version, results };
    },
  };
}

function python(name: 'onnxruntime' | 'reference'): Runtime {
  return {
    name: `Python, ${name}`,
    fetch: pythonForOnnx,
    run: async (folder) =>
      JSON.parse(await call([await pythonForOnnx(), join('python', 'run.py'), name, folder], here)),
  };
}

type Command = readonly [program: string, ...arguments: string[]];

/** A program in the folder of its language, of that name in lower case. */
function program(
  language: string,
  commands: { readonly fetch: readonly Command[]; readonly build?: Command; readonly run: Command },
): Runtime {
  const directory = join(here, language.toLowerCase());
  return {
    name: language,
    async fetch() {
      for (const command of commands.fetch) await call(command, directory);
    },
    async run(folder) {
      if (commands.build) await call(commands.build, directory);
      return JSON.parse(await call([...commands.run, folder], directory));
    },
  };
}

/** @returns what the command prints */
async function call([name, ...args]: Command, cwd: string): Promise<string> {
  try {
    // Where the bindings for Rust and Go, which bring no ONNX Runtime along, find one.
    const env = { ...process.env, ORT_DYLIB_PATH: await nativeLibrary() };
    return (await execute(name, args, { cwd, env, maxBuffer: 1 << 30 })).stdout;
  } catch (error) {
    const { stderr, stdout, message } = error as Error & { stderr?: string; stdout?: string };
    throw new Error(
      `${name} ${args.join(' ')}: ${(stderr?.trim() || stdout?.trim() || message).slice(-2000)}`,
    );
  }
}

/** The shared library in onnxruntime-node. */
async function nativeLibrary(): Promise<string> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '../bin');
  const names = await readdir(folder, { recursive: true });
  const name = new RegExp(`${process.platform}/${process.arch}/(lib)?onnxruntime\\.(so|dll|.*dylib)`);
  return join(folder, names.find((path) => name.test(path.replaceAll(sep, '/'))) ?? '');
}
