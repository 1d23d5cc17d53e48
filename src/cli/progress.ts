import cliProgress from 'cli-progress';
import type { Progress } from '../train/fit.ts';
import { count } from './output.ts';

/** A bar on stderr with loss, throughput and time left; nothing where stderr is not a terminal. */
export function progressBar(): { update(progress: Progress): void; stop(): void } {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar({
    format: 'epoch {epoch} {bar} {percentage}% · loss {loss}{valid} · {rate} ratings/s · {left} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    stream: process.stderr,
  });
  const at = performance.now();
  let first: number | undefined;
  return {
    update({ epoch, epochs, done, ratings, loss, valid }) {
      const all = epoch * ratings + done;
      if (first === undefined) {
        // A resumed training begins with a later epoch.
        first = epoch * ratings;
        bar.start(epochs * ratings, all, { epoch: '', loss: '', valid: '', rate: '', left: '' });
      }
      const rate = (all - first) / ((performance.now() - at) / 1000);
      bar.update(all, {
        epoch: `${epoch + 1}/${epochs}`,
        loss: loss.toFixed(4),
        valid: valid ? ` · validation RMSE ${valid.rmse.toFixed(4)}` : '',
        rate: count(Math.round(rate)),
        left: `${Math.ceil((epochs * ratings - all) / rate)} s`,
      });
    },
    stop: () => bar.stop(),
  };
}
