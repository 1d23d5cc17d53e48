import { endBy } from './end-by.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const waiting = new Set<() => void>();

function runAll(): void {
  // The last first: a folder is cleared before its lock goes.
  for (const run of [...waiting].reverse()) {
    try {
      run();
    } catch {
      // The others run, too.
    }
  }
}

/** Ends as by default, if nothing else handles the signal. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) endBy(signal);
}

/** Calls `run` when the process ends, also by Ctrl-C and other signals, but not if it is killed. @returns a function that cancels it */
export function atExit(run: () => void): () => void {
  if (waiting.size === 0) {
    // One listener for all, because Node warns of many.
    process.on('exit', runAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  waiting.add(run);
  return () => {
    if (!waiting.delete(run) || waiting.size > 0) return;
    process.off('exit', runAll);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
