import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonEnvironment } from '../conformance/python.ts';

/** The recipe, as flags of the command line; the Python peers have the same numbers in their scripts. */
const RECIPE =
  '--model dot-bias --factors 50 --epochs 5 --batch 64 --learning-rate 5e-3 --optimizer adamw --weight-decay 0.1 --range 0,5.5';
const THREADS = [1, 2];

export interface Split {
  train: string;
  test: string;
}

/** One way to train on the split: the command line of a run whose last line of output is a JSON object. */
export interface Contender {
  label: string;
  command(seed: number): string[];
}

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Each peer's contenders, ready to run; throws the reason when this machine cannot run it. */
export const peers = {
  async cofactor({ train, test }: Split, scratch: string): Promise<Contender[]> {
    const cli = path('../../dist/cli.js');
    if (!existsSync(cli)) throw new Error('dist/cli.js is not built; npm run build');
    const run = [process.execPath, cli, 'train', train, '--test', test, '--json', ...RECIPE.split(' ')];
    return [
      {
        label: 'cofactor',
        command: (seed) => [...run, '--out', join(scratch, `model-${seed}`), '--seed', `${seed}`],
      },
    ];
  },
  async torch(split: Split): Promise<Contender[]> {
    const python = await pythonEnvironment('bench', path('requirements.txt'));
    return ['default', 'foreach', 'fused'].flatMap((optimizer) =>
      THREADS.map((threads) => ({
        label: `torch, ${optimizer} AdamW`,
        command: pythonRun(python, 'torch_loop.py', split, { optimizer, threads }),
      })),
    );
  },
  async fastai(split: Split): Promise<Contender[]> {
    const python = await pythonEnvironment('bench', path('requirements.txt'));
    return ['weighted', 'shuffled'].map((sampling) => ({
      label: `fastai, ${sampling} loader`,
      command: pythonRun(python, 'fastai_loop.py', split, { sampling }),
    }));
  },
  async libmf(split: Split): Promise<Contender[]> {
    const python = await pythonEnvironment('bench-libmf', path('requirements-libmf.txt'));
    return THREADS.map((threads) => ({
      label: 'libmf',
      command: pythonRun(python, 'libmf_run.py', split, { threads }),
    }));
  },
};

export type Peer = keyof typeof peers;

function pythonRun(
  python: string,
  script: string,
  { train, test }: Split,
  flags: Record<string, string | number>,
) {
  const run = [
    python,
    path(script),
    train,
    test,
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  ];
  return (seed: number): string[] => [...run, `--seed=${seed}`];
}
