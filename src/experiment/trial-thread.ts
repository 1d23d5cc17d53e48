import { parentPort, workerData } from 'node:worker_threads';
import type { Split } from '../data/dataset/split.ts';
import { owned } from './shared.ts';
import { runTrial, type Trial } from './trial.ts';

/** One thread of the pool in `pool.ts`: it runs trials until it is sent none. */
const folds = workerData as readonly Split[];

parentPort?.on('message', async (trial?: Trial) => {
  if (!trial) return parentPort?.close();
  const { train, valid } = folds[trial.fold];
  parentPort?.postMessage(
    await runTrial([{ train: owned(train), valid: owned(valid) }], { ...trial, fold: 0 }),
  );
});
