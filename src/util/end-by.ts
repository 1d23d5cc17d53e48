import { constants } from 'node:os';

/**
 * Ends the process at once by a signal that it handled, as one that it does not handle, after what the event `exit` does.
 * `process.exit` would end all threads first, and ONNX Runtime aborts the process if a thread ends in the middle of a run.
 */
export function endBy(signal: NodeJS.Signals): never {
  const code = 128 + constants.signals[signal];
  process.emit('exit', code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Only the first process of a container comes here: such a signal does not end it.
  process.exit(code);
}
