import { parentPort, workerData } from 'node:worker_threads';
import { owned, type SharedFold } from './shared.ts';
import { runTrial, type Trial } from './trial.ts';

/** One thread of the pool in `pool.ts`: it runs trials until it is sent none. */
const folds = workerData as readonly SharedFold[];

parentPort?.on('message', async (trial?: Trial) => {
  if (!trial) return parentPort?.close();
  parentPort?.postMessage(await runTrial([owned(folds[trial.fold])], { ...trial, fold: 0 }));
});
