import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Split } from '../data/dataset/split.ts';
import { disableTelemetry } from '../run/onnxruntime.ts';
import { type SharedFold, shared } from './shared.ts';
import { type Outcome, runTrial, type Trial } from './trial.ts';

/** The built thread. Node 20 cannot run TypeScript, so the sources use it too. */
const THREAD = import.meta.url.endsWith('.ts') ? '../../dist/trial-thread.js' : './trial-thread.js';

/** Runs trials on the same folds in parallel. Results do not depend on the number of workers. */
export interface TrialPool {
  readonly folds: readonly Split[];
  /** Number of trials that run in parallel. */
  readonly workers: number;
  run(trial: Trial): Promise<Outcome>;
  /** Waits for running trials, drops waiting ones, and ends the threads. */
  close(): Promise<void>;
}

/** @param workers number of threads, which share the memory of the ratings; with 0, trials run in the current thread */
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
  disableTelemetry();
  const worker = new Worker(new URL(THREAD, import.meta.url), { workerData: folds });
  // Listens from the start, because a thread that failed ends before it is asked to.
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  return {
    async run(trial) {
      worker.postMessage(trial);
      const [outcome] = await once(worker, 'message');
      return outcome;
    },
    // The thread ends itself, because ONNX Runtime may crash the process if a thread is terminated.
    end() {
      worker.postMessage(undefined);
      return ended;
    },
  };
}
