import { useRef, useState } from 'preact/hooks';
import type { ModelName } from '../../../graphs/models/index.ts';
import type { Judgement } from '../../artifact/judgement.ts';
import {
  type Progress,
  type ReadSummary,
  train,
  type UnderstandOptions,
  type WebTrained,
} from '../../web.ts';
import { messageOf } from '../messages.ts';
import { type Choices, objectivesOf, recipeFor } from './choices.ts';
import { advanced, type Step, stepsOf } from './steps.ts';

/** A point of a learning curve: number of epochs, and a measure after them. */
export type CurvePoint = readonly [epochs: number, measure: number];

/** What a model learns: to predict ratings, or to rank. */
export type Objective = Progress['objective'];

/** The learning curves of a model for one objective: where a part of the data is held out, those of the judged training. */
export interface Part {
  readonly epochs: number;
  /** On the training data: the error of ratings, or the loss of the ranking. */
  readonly learning: readonly CurvePoint[];
  /** On the held-out data: the error of ratings, or NDCG at 10. */
  readonly heldOut: readonly CurvePoint[];
}

type State = 'waiting' | 'running' | 'done';

export interface Run {
  readonly model: ModelName;
  readonly state: State;
  /** What it learns; empty until it is known what the file has. */
  readonly objectives: readonly Objective[];
  /** What is done, one after the other; empty until it is known what the file has. */
  readonly steps: readonly Step[];
  /** Time of the latest news, in milliseconds. */
  readonly at: number;
  /** What has begun, by objective. */
  readonly parts: Readonly<Partial<Record<Objective, Part>>>;
  readonly judgement?: Judgement;
  readonly trained?: WebTrained;
}

/** A training that the visitor started, of one or more models. */
export interface Training {
  readonly file: string;
  /** Whether a part is held out. */
  readonly judged: boolean;
  readonly runs: readonly Run[];
  readonly read?: ReadSummary;
  readonly stopping: boolean;
  readonly error?: string;
}

const newRun = (model: ModelName): Run => ({
  model,
  state: 'waiting',
  objectives: [],
  steps: [],
  at: 0,
  parts: {},
});

export const isRunning = (training: Training | undefined): boolean =>
  training?.runs.some(({ state }) => state === 'waiting' || state === 'running') ?? false;

/** A run with its progress added. The loss of ratings is a mean square; its root is in rating points. */
function withProgress(run: Run, progress: Progress, judged: boolean): Run {
  const { phase, objective, epoch, epochs, done, ratings, loss, valid } = progress;
  const at = epoch + done / ratings;
  const now = performance.now();
  const next = { ...run, at: now, steps: advanced(run.steps, progress, at / epochs, (now - run.at) / 1000) };
  if (judged && phase === 'training') return next;
  const { learning = [], heldOut = [] } = run.parts[objective] ?? {};
  const measured = valid?.rmse ?? valid?.ndcg;
  const part: Part = {
    epochs,
    learning:
      loss === undefined ? learning : [...learning, [at, objective === 'rating' ? Math.sqrt(loss) : loss]],
    heldOut: measured === undefined ? heldOut : [...heldOut, [epoch + 1, measured]],
  };
  return { ...next, parts: { ...run.parts, [objective]: part } };
}

export const sizeOf = ({ artifact }: WebTrained): number =>
  Object.values(artifact.files).reduce((sum, { length }) => sum + length, 0);

export interface Order {
  readonly file: File;
  readonly titles: File | undefined;
  /** How to read the file. */
  readonly reading: UnderstandOptions;
  readonly choices: Choices;
}

export interface Trainer {
  readonly training: Training | undefined;
  start(order: Order): void;
  /** Stops at the end of the current epoch, and keeps the model. */
  stop(): void;
}

/** Trains in the background, also while other views are shown. */
export function useTraining(): Trainer {
  const [training, setTraining] = useState<Training>();
  const controller = useRef<AbortController>(undefined);

  const change = (next: (training: Training) => Training): void =>
    setTraining((now) => (now === undefined ? now : next(now)));

  const changeRun = (at: number, next: (run: Run) => Run): void =>
    change((training) => ({
      ...training,
      runs: training.runs.map((run, index) => (index === at ? next(run) : run)),
    }));

  const run = async (
    { file, titles, reading, choices }: Order,
    signal: AbortSignal,
    before: Training | undefined,
  ): Promise<void> => {
    const { heldOut } = choices;
    const judged = heldOut > 0;
    // One after the other, so that their times can be compared.
    for (const [at, model] of choices.models.entries()) {
      if (signal.aborted) {
        change((training) => ({ ...training, runs: training.runs.slice(0, at) }));
        break;
      }
      changeRun(at, (run) => ({ ...run, state: 'running' }));
      try {
        const trained = await train(file, recipeFor(model, choices), {
          ...reading,
          ...(judged && { valid: heldOut }),
          titles,
          signal,
          onRead: (read) =>
            change((training) => ({
              ...training,
              read,
              runs: training.runs.map((run) => {
                const objectives = objectivesOf(run.model, choices, read.kind);
                return { ...run, at: performance.now(), objectives, steps: stepsOf(objectives, judged) };
              }),
            })),
          onProgress: (progress) => changeRun(at, (run) => withProgress(run, progress, judged)),
          onJudged: (judgement) => changeRun(at, (run) => ({ ...run, judgement })),
        });
        changeRun(at, (run) => ({ ...run, state: 'done', trained }));
      } catch (error) {
        // The next model would fail, too. If the first one failed, the results from before are shown again.
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
    start(order) {
      controller.current = new AbortController();
      const { file, choices } = order;
      const runs = choices.models.map(newRun);
      setTraining({
        file: file.name,
        judged: choices.heldOut > 0,
        runs,
        stopping: false,
      });
      void run(order, controller.current.signal, training);
    },
    stop() {
      controller.current?.abort();
      change((training) => ({ ...training, stopping: true }));
    },
  };
}
