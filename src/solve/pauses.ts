import { UserError } from '../errors.ts';

/** Between two turns of the event loop, which progress bars and Ctrl-C wait for. */
const MILLISECONDS = 50;

/**
 * Gives a function to call between parts of a long computation: it yields to the event loop now and then.
 *
 * @returns throws a UserError once the signal is aborted
 */
export function pauses(signal?: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last >= MILLISECONDS) {
      await new Promise<void>((resolve) => setTimeout(resolve));
      last = performance.now();
    }
    if (signal?.aborted)
      throw new UserError('training', 'training was stopped before its end, so there is no model');
  };
}
