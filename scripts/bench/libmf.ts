/** Compiles LIBMF with its AVX code, which PyPI's `libmf` leaves out. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FLAGS = '-O3 -std=c++11 -pthread -DUSEAVX -mavx -march=native -shared -fPIC';

/**
 * The path of the compiled library, inside the Python environment.
 *
 * @param python of the environment that has libmf
 * @throws the reason why it cannot be compiled
 */
export async function withAvx(python: string): Promise<string> {
  const folder = join(dirname(dirname(python)), 'avx');
  const library = join(folder, 'libmf.so');
  if (existsSync(library)) return library;
  const macros = await run('no g++', 'g++', ['-march=native', '-dM', '-E', '-x', 'c++', '/dev/null']);
  if (!macros.includes('__AVX__')) throw new Error('this processor has no AVX');
  const requirements = await readFile(
    fileURLToPath(new URL('requirements-libmf.txt', import.meta.url)),
    'utf8',
  );
  const [pinned, version] = requirements.match(/^libmf==(\S+)$/m) as RegExpMatchArray;
  await mkdir(folder, { recursive: true });
  const download = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-binary',
    ':all:',
    '--no-deps',
    '--dest',
    folder,
  ];
  await run('no source of libmf', python, [...download, pinned]);
  await run('no source of libmf', 'tar', ['-xzf', join(folder, `libmf-${version}.tar.gz`), '-C', folder]);
  const sources = ['libmf_interface.cpp', 'mf.cpp'].map((file) =>
    join(folder, `libmf-${version}`, 'src_cpp', file),
  );
  await run('cannot compile', 'g++', [...FLAGS.split(' '), ...sources, '-o', library]);
  return library;
}

async function run(failure: string, program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`${failure} (${(stderr?.trim() || message).split('\n').at(-1)})`);
  }
}
