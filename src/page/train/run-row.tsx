import { isSolved, models } from '../../../graphs/models/index.ts';
import { currentOf, doneOf, inWords, type Step, secondsLeft } from './steps.ts';
import type { Run } from './use-training.ts';

/** The progress of a model's training, and how long it will take. */
export function RunRow({ run }: { readonly run: Run }) {
  const { model, state, steps } = run;
  const id = `run-${model}`;
  const done = doneOf(steps);
  return (
    <li data-state={state}>
      <span id={id}>
        {models[model].title}
        <span class="note"> {state === 'running' && doing(run)}</span>
      </span>
      <span class="note">{state === 'running' ? timeLeft(run) : state}</span>
      <progress
        aria-labelledby={id}
        max={1}
        value={state === 'running' ? done || undefined : Number(state === 'done')}
      />
    </li>
  );
}

const LEARNS: Readonly<Record<Step['objective'], string>> = {
  rating: 'learns to predict ratings',
  ranking: 'learns what to recommend',
};

function doing({ model, steps }: Run): string {
  const step = currentOf(steps);
  if (!step) return steps.length === 0 ? 'reading the file' : 'writing its files';
  const what = isSolved(model) ? 'computes what to recommend' : LEARNS[step.objective];
  const isJudged = steps.some(({ phase }) => phase === 'judging');
  const why = !isJudged ? '' : step.phase === 'judging' ? ', to be judged' : ', from everything';
  return `${steps.length > 1 ? `${steps.indexOf(step) + 1} of ${steps.length}: ` : ''}${what}${why}`;
}

function timeLeft({ steps }: Run): string {
  const seconds = secondsLeft(steps);
  return seconds === undefined ? '' : inWords(seconds);
}
