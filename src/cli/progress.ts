import cliProgress from 'cli-progress';
import type { Progress } from '../train/fit.ts';
import { count } from './output.ts';

/** A bar on stderr with loss, throughput and time left; nothing where stderr is not a terminal. */
export function progressBar(): { update(progress: Progress): void; stop(): void } {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar({
    // 80 columns.
    format: 'epoch {epoch} {bar} · {left} left · {rate} ratings/s · loss {loss}{valid}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 10,
    hideCursor: true,
    stream: process.stderr,
  });
  const at = performance.now();
  let first: number | undefined;
  return {
    update({ epoch, epochs, done, ratings, loss, valid }) {
      const all = epoch * ratings + done;
      const begins = first === undefined;
      // A resumed training begins with a later epoch.
      first ??= epoch * ratings;
      const rate = (all - first) / ((performance.now() - at) / 1000);
      const facts = {
        epoch: `${epoch + 1}/${epochs}`,
        left: `${Math.ceil((epochs * ratings - all) / rate)} s`,
        rate: count(Math.round(rate)),
        loss: loss.toFixed(4),
        valid: valid ? ` · RMSE ${valid.rmse.toFixed(4)}` : '',
      };
      if (begins) bar.start(epochs * ratings, all, facts);
      else bar.update(all, facts);
    },
    stop: () => bar.stop(),
  };
}
