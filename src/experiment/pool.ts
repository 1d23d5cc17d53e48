import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Split } from '../data/dataset/split.ts';
import { type SharedFold, shared } from './shared.ts';
import { type Outcome, runTrial, type Trial } from './trial.ts';

/** The built thread, beside the built library. Node 20 runs no TypeScript, so it serves the sources too. */
const THREAD = import.meta.url.endsWith('.ts') ? '../../dist/trial-thread.js' : './trial-thread.js';

/** Runs trials on the same folds, side by side. A trial comes to the same whatever the number of workers. */
export interface TrialPool {
  readonly folds: readonly Split[];
  /** How many trials run side by side. */
  readonly workers: number;
  run(trial: Trial): Promise<Outcome>;
  /** Waits for the trials that run, drops those that wait, and ends the threads. */
  close(): Promise<void>;
}

/** @param workers threads, which share the ratings; 0 to run in this one */
export function trialPool(folds: readonly Split[], workers: number = availableParallelism()): TrialPool {
  const inThread = folds.map(shared);
  const start = (): Runner => (workers === 0 ? { run: (trial) => runTrial(folds, trial) } : thread(inThread));
  const most = Math.max(1, workers);
  const runners: Runner[] = [];
  const idle: Runner[] = [];
  const running = new Set<Promise<Outcome>>();
  let waiting: ((runner: Runner) => void)[] = [];

  function startOne(): Runner {
    const runner = start();
    runners.push(runner);
    return runner;
  }

  return {
    folds,
    workers: most,
    async run(trial) {
      const runner =
        idle.pop() ??
        (runners.length < most ? startOne() : await new Promise<Runner>((free) => waiting.push(free)));
      const outcome = runner.run(trial);
      running.add(outcome);
      try {
        return await outcome;
      } finally {
        running.delete(outcome);
        const next = waiting.shift();
        if (next) next(runner);
        else idle.push(runner);
      }
    },
    async close() {
      waiting = [];
      await Promise.allSettled(running);
      await Promise.all(runners.map((runner) => runner.end?.()));
    },
  };
}

interface Runner {
  run(trial: Trial): Promise<Outcome>;
  end?(): Promise<unknown>;
}

function thread(folds: readonly SharedFold[]): Runner {
  const worker = new Worker(new URL(THREAD, import.meta.url), { workerData: folds });
  // From the beginning: one that failed has ended before it is told to.
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  return {
    async run(trial) {
      worker.postMessage(trial);
      const [outcome] = await once(worker, 'message');
      return outcome;
    },
    // It ends itself: ONNX Runtime may end the process where a thread is ended from outside.
    end() {
      worker.postMessage(undefined);
      return ended;
    },
  };
}
