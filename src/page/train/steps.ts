import type { Progress } from '../../web.ts';

/** A part of a training: for one objective, to judge it or to use it. */
export interface Step {
  readonly phase: NonNullable<Progress['phase']>;
  readonly objective: Progress['objective'];
  /** What is done of its epochs at most, 0 to 1. */
  readonly done: number;
  /** Time that it has taken so far. */
  readonly seconds: number;
}

/** The steps of a training, in order. */
export const stepsOf = (objectives: readonly Step['objective'][], judged: boolean): Step[] =>
  (judged ? (['judging', 'training'] as const) : (['training'] as const)).flatMap((phase) =>
    objectives.map((objective) => ({ phase, objective, done: 0, seconds: 0 })),
  );

/**
 * The steps after some progress. Those before it are done, even if they ended before their last epoch.
 *
 * @param done what is done of the step, 0 to 1
 * @param seconds time since the progress before
 */
export function advanced(
  steps: readonly Step[],
  { phase = 'training', objective }: Pick<Progress, 'phase' | 'objective'>,
  done: number,
  seconds: number,
): Step[] {
  const current = steps.findIndex((step) => step.phase === phase && step.objective === objective);
  return steps.map((step, at) => {
    if (at < current) return { ...step, done: 1 };
    return at > current ? step : { ...step, done, seconds: step.seconds + seconds };
  });
}

/** The step that is running: the first that is not done. */
export const currentOf = (steps: readonly Step[]): Step | undefined => steps.find(({ done }) => done < 1);

/** What is done of all steps, 0 to 1. */
export const doneOf = (steps: readonly Step[]): number =>
  steps.reduce((sum, { done }) => sum + done, 0) / (steps.length || 1);

/** From less of a step its time cannot be told. */
const ENOUGH = 0.05;

/**
 * How long the rest takes, in seconds: a step takes as long as it has for what is done of it; training for use takes as long as
 * judging; and what has not begun as long as the step before.
 *
 * @returns undefined while too little is done to tell
 */
export function secondsLeft(steps: readonly Step[]): number | undefined {
  let left = 0;
  const whole = new Map<Step['objective'], number>();
  let last: number | undefined;
  for (const { objective, done, seconds } of steps) {
    const own = done >= ENOUGH ? seconds / done : undefined;
    last = own ?? whole.get(objective) ?? last;
    if (last === undefined) return undefined;
    whole.set(objective, last);
    if (done < 1) left += last * (1 - done);
  }
  return left;
}

/** A time to wait, in words. */
export function inWords(seconds: number): string {
  if (seconds < 8) return 'a few seconds left';
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} seconds left`;
  if (seconds < 5400) return `about ${Math.max(2, Math.round(seconds / 60))} minutes left`;
  return `about ${Math.max(2, Math.round(seconds / 3600))} hours left`;
}
