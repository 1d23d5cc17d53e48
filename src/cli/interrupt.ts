import { endBy } from '../util/end-by.ts';
import { printNote } from './output.ts';

/** The first Ctrl-C prints `note` and aborts the signal. The second ends the program at once. */
export function onInterrupt(note: string): { signal: AbortSignal; stop(): void; raise(): void } {
  const controller = new AbortController();
  let raised: NodeJS.Signals | undefined;
  const listener = (name: NodeJS.Signals): void => {
    if (raised) endBy(name);
    raised = name;
    // After the ^C that a terminal shows.
    printNote('');
    printNote(note);
    controller.abort();
  };
  process.on('SIGINT', listener).on('SIGTERM', listener);
  const stop = (): void => {
    process.off('SIGINT', listener).off('SIGTERM', listener);
  };
  return {
    signal: controller.signal,
    stop,
    /** Ends the program with the signal that it got, if any. */
    raise() {
      stop();
      if (raised) endBy(raised);
    },
  };
}
