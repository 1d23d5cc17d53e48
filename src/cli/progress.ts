import cliProgress from 'cli-progress';
import type { Progress, ValidMetrics } from '../train/progress.ts';
import { count } from './output.ts';

type Facts = Readonly<Record<string, string>>;

/** A progress bar on stderr; without a terminal, none. */
export function bar(format: string): {
  start(total: number, value: number, facts?: Facts): void;
  update(value: number, facts?: Facts): void;
  stop(): void;
} {
  const nothing = (): void => undefined;
  if (!process.stderr.isTTY) return { start: nothing, update: nothing, stop: nothing };
  return new cliProgress.SingleBar({
    format,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 10,
    hideCursor: true,
    stream: process.stderr,
  });
}

const validInWords = ({ rmse, ndcg }: ValidMetrics = {}): string => {
  if (rmse !== undefined) return ` · RMSE ${rmse.toFixed(4)}`;
  return ndcg === undefined ? '' : ` · NDCG ${ndcg.toFixed(4)}`;
};

export function progressBar(): { update(progress: Progress): void; stop(): void } {
  // It must fit in 80 columns.
  const training = bar('{epoch}{bar} · {left} left · {rate} {what}/s{loss}{valid}');
  let at = performance.now();
  let updated = at;
  let first = 0;
  let current: string | undefined;
  return {
    update({ phase = 'training', objective, epoch, epochs, done, ratings, loss, valid }) {
      const all = epoch * ratings + done;
      const part = `${phase} ${objective}`;
      const begins = part !== current;
      if (begins) {
        // Each part of a model has a bar of its own, in each phase.
        if (current) {
          training.stop();
          at = updated;
        }
        // A resumed training starts at a later epoch.
        first = epoch * ratings;
        current = part;
      }
      updated = performance.now();
      const rate = (all - first) / ((updated - at) / 1000);
      const facts = {
        epoch: `${phase === 'judging' ? 'judging ' : ''}${epochs > 1 || loss !== undefined ? `epoch ${epoch + 1}/${epochs} ` : ''}`,
        left: `${Math.ceil((epochs * ratings - all) / rate)} s`,
        rate: count(Math.round(rate)),
        what: objective === 'rating' ? 'ratings' : 'positives',
        loss: loss === undefined ? '' : ` · loss ${loss.toFixed(4)}`,
        valid: validInWords(valid),
      };
      if (begins) training.start(epochs * ratings, all, facts);
      else training.update(all, facts);
    },
    stop: () => training.stop(),
  };
}
