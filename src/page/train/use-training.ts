import { useRef, useState } from 'preact/hooks';
import { train } from '../../web.ts';
import { messageOf } from '../messages.ts';
import { type Choices, modelsOf, optionsOf } from './choices.ts';
import { newRun, type Run, type Training, withProgress } from './runs.ts';

export interface Trainer {
  readonly training: Training | undefined;
  start(file: File, titles: File | undefined, choices: Choices): void;
  /** Ends after the running epoch, and keeps what is trained. */
  stop(): void;
}

/** Trains in the background, whatever view is shown. */
export function useTraining(): Trainer {
  const [training, setTraining] = useState<Training>();
  const controller = useRef<AbortController>(undefined);

  const change = (next: (training: Training) => Training): void =>
    setTraining((now) => (now === undefined ? now : next(now)));

  const changeRun = (at: number, next: (run: Run) => Run): void =>
    change((training) => ({
      ...training,
      runs: training.runs.map((run, place) => (place === at ? next(run) : run)),
    }));

  const run = async (
    file: File,
    titles: File | undefined,
    choices: Choices,
    signal: AbortSignal,
    before: Training | undefined,
  ): Promise<void> => {
    // One after the other: each has the processor to itself, so that their times can be compared.
    for (const [at, model] of modelsOf(choices).entries()) {
      if (signal.aborted) {
        change((training) => ({ ...training, runs: training.runs.slice(0, at) }));
        break;
      }
      changeRun(at, (run) => ({ ...run, state: 'running' }));
      try {
        const trained = await train(file, {
          ...optionsOf(model, choices, titles),
          signal,
          onRead: (read) => change((training) => ({ ...training, read })),
          onProgress: (progress) => changeRun(at, (run) => withProgress(run, progress)),
        });
        changeRun(at, (run) => ({ ...run, state: 'done', part: 1, trained }));
      } catch (error) {
        // What is wrong with the file is wrong for the next model too. Where nothing came of it, what was there before
        // comes back.
        change((training) => ({
          ...(at === 0 && before ? before : training),
          runs: at === 0 ? (before?.runs ?? []) : training.runs.slice(0, at),
          error: messageOf(error),
        }));
        break;
      }
    }
  };

  return {
    training,
    start(file, titles, choices) {
      controller.current = new AbortController();
      const runs = modelsOf(choices).map(newRun);
      setTraining({ file: file.name, epochs: choices.epochs, runs, stopping: false });
      void run(file, titles, choices, controller.current.signal, training);
    },
    stop() {
      controller.current?.abort();
      change((training) => ({ ...training, stopping: true }));
    },
  };
}
