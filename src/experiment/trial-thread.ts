import { parentPort, workerData } from 'node:worker_threads';
import { owned, type SharedFold } from './shared.ts';
import { runTrial, type Trial } from './trial.ts';

/** A thread of the pool in `pool.ts`: runs trials until it gets an empty message. */
const folds = workerData as readonly SharedFold[];

parentPort?.on('message', async (trial?: Trial) => {
  if (!trial) return parentPort?.close();
  parentPort?.postMessage(await runTrial([owned(folds[trial.fold])], { ...trial, fold: 0 }));
});
