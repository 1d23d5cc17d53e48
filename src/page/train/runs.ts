import type { ModelName } from '../../../graphs/models/index.ts';
import type { Progress, ReadSummary, WebTrained } from '../../web.ts';

/** A place on a curve: epochs done, and the error there. */
export type CurvePoint = readonly [epochs: number, error: number];

/** The training of one model. */
export interface Run {
  readonly model: ModelName;
  readonly state: 'waiting' | 'running' | 'done';
  /** The typical error of the ratings learned from. */
  readonly learning: readonly CurvePoint[];
  /** That of the held-out ratings. */
  readonly heldOut: readonly CurvePoint[];
  /** How much of all epochs is done, 0 to 1. */
  readonly part: number;
  readonly trained?: WebTrained;
}

/** What a press on Start came to. */
export interface Training {
  readonly file: string;
  readonly epochs: number;
  readonly runs: readonly Run[];
  readonly read?: ReadSummary;
  readonly stopping: boolean;
  readonly error?: string;
}

export const newRun = (model: ModelName): Run => ({
  model,
  state: 'waiting',
  learning: [],
  heldOut: [],
  part: 0,
});

export const isRunning = (training: Training | undefined): boolean =>
  training?.runs.some(({ state }) => state === 'waiting' || state === 'running') ?? false;

/** A run after one more piece of news; the loss is a mean square, and its root is in rating points. */
export function withProgress(run: Run, { epoch, epochs, done, ratings, loss, valid }: Progress): Run {
  const at = epoch + done / ratings;
  return {
    ...run,
    learning: [...run.learning, [at, Math.sqrt(loss)]],
    heldOut: valid ? [...run.heldOut, [epoch + 1, valid.rmse]] : run.heldOut,
    part: at / epochs,
  };
}

export const sizeOf = ({ artifact }: WebTrained): number =>
  Object.values(artifact.files).reduce((sum, { length }) => sum + length, 0);
