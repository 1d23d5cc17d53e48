/** The libraries that are compared, and how each is run; see docs/benchmarks.md. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonEnvironment } from '../../test/support/python.ts';
import { withAvx } from './libmf.ts';
import type { Contender } from './measure.ts';
import type { DataSet } from './sets.ts';

/** Flags of the recipe for small data sets; the Python scripts contain the same numbers. */
const RECIPE =
  '--model dot-bias --factors 50 --epochs 5 --batch-size 64 --learning-rate 5e-3 --optimizer adamw --weight-decay 0.1 --range 0,5.5 --initial-std 0.001 --spectral 0,0';
const THREADS = [1, 2];

export type Peer = 'cofactor' | 'torch' | 'fastai' | 'libmf' | 'libmf-avx' | 'surprise';

type Flags = { threads?: number; [name: string]: string | number | undefined };

/** Makes a peer's contenders for a data set. @throws the reason why it has none */
type Contenders = (set: DataSet, scratch: string) => Promise<Contender[]>;

export const peers: Readonly<Record<Peer, Contenders>> = {
  async cofactor(set, scratch) {
    const run = (label: string, flags: string) => cofactor(label, set, scratch, flags);
    return [
      ...(set.isLarge ? [run('cofactor, 2 epochs', '--epochs 2')] : [run('cofactor, recipe', RECIPE)]),
      run('cofactor, defaults', ''),
    ];
  },
  async torch(set) {
    const run = await pythonRun('bench', 'requirements.txt', set);
    if (set.isLarge) return [run('torch, SparseAdam', 'torch_sparse.py', { threads: 2 })];
    return ['default', 'foreach', 'fused'].flatMap((optimizer) =>
      THREADS.map((threads) => run(`torch, ${optimizer} AdamW`, 'torch_loop.py', { optimizer, threads })),
    );
  },
  async fastai(set) {
    atMost(2e6, set, 'it would take hours');
    const run = await pythonRun('bench', 'requirements.txt', set);
    // fastai's default, `weighted`, is less accurate and takes as long.
    const loaders = set.isLarge ? ['shuffled'] : ['weighted', 'shuffled'];
    return loaders.map((sampling) => run(`fastai, ${sampling} loader`, 'fastai_loop.py', { sampling }));
  },
  async libmf(set) {
    const run = await pythonRun('bench-libmf', 'requirements-libmf.txt', set);
    return THREADS.map((threads) => run('libmf, PyPI', 'libmf_run.py', { threads }));
  },
  async 'libmf-avx'(set, scratch) {
    const library = await withAvx(await pythonOf('bench-libmf', 'requirements-libmf.txt'));
    const plain = await peers.libmf(set, scratch);
    const environment = { LIBMF_OBJ: library };
    return plain.map((contender) => ({ ...contender, label: 'libmf, AVX', environment }));
  },
  async surprise(set) {
    atMost(2e6, set, 'it keeps ratings as Python objects, about half a gigabyte a million');
    const run = await pythonRun('bench-surprise', 'requirements-surprise.txt', set);
    return [run('surprise, SVD', 'surprise_run.py', {})];
  },
};

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export function cofactor(label: string, set: DataSet, scratch: string, flags: string): Contender {
  const cli = path('../../dist/cli.js');
  if (!existsSync(cli)) throw new Error('dist/cli.js is not built; npm run build');
  const run = [process.execPath, cli, 'train', set.train, '--test', set.test, '--json'];
  const out = (seed: number): string => join(scratch, `model-${seed}`);
  return {
    label,
    // cofactor's defaults.
    threads: set.isLarge ? availableParallelism() : 1,
    command: (seed) => [...run, ...flags.split(' ').filter(Boolean), '--out', out(seed), '--seed', `${seed}`],
  };
}

const pythonOf = (environment: string, requirements: string): Promise<string> =>
  pythonEnvironment(environment, path(requirements));

async function pythonRun(environment: string, requirements: string, { train, test }: DataSet) {
  const python = await pythonOf(environment, requirements);
  return (label: string, script: string, flags: Flags): Contender => {
    const given = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const run = [python, path(script), train, test, ...given];
    return { label, threads: flags.threads, command: (seed) => [...run, `--seed=${seed}`] };
  };
}

function atMost(count: number, { ratings }: DataSet, reason: string): void {
  if (ratings > count) throw new Error(`left out: ${reason}`);
}
