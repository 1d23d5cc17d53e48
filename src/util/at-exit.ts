const waiting = new Set<() => void>();

/** One listener for all, because Node warns of many. */
function runAll(): void {
  for (const run of waiting) run();
}

/** Calls `run` when the process ends, also by a signal that something else handles. @returns a function that cancels it */
export function atExit(run: () => void): () => void {
  if (waiting.size === 0) process.on('exit', runAll);
  waiting.add(run);
  return () => {
    waiting.delete(run);
    if (waiting.size === 0) process.off('exit', runAll);
  };
}
