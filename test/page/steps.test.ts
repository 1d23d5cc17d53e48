import { expect, test } from 'vitest';
import { advanced, currentOf, doneOf, inWords, secondsLeft, stepsOf } from '../../src/page/train/steps.ts';

const both = ['rating', 'ranking'] as const;

test('a judged training has every objective twice, one without held-out data once', () => {
  expect(stepsOf(both, true).map(({ phase, objective }) => `${phase} ${objective}`)).toEqual([
    'judging rating',
    'judging ranking',
    'training rating',
    'training ranking',
  ]);
  expect(stepsOf(['ranking'], false)).toHaveLength(1);
});

test('the time left is told from what is done, also of what has not begun', () => {
  let steps = stepsOf(both, true);
  expect(secondsLeft(steps)).toBeUndefined();
  steps = advanced(steps, { phase: 'judging', objective: 'rating' }, 0.01, 3);
  // Too little to tell.
  expect(secondsLeft(steps)).toBeUndefined();
  steps = advanced(steps, { phase: 'judging', objective: 'rating' }, 0.5, 2);
  // 10 seconds for each of four steps.
  expect(secondsLeft(steps)).toBeCloseTo(35);
  // It stopped early, after 6 seconds, at half of its epochs.
  steps = advanced(steps, { phase: 'judging', objective: 'rating' }, 0.5, 1);
  steps = advanced(steps, { phase: 'judging', objective: 'ranking' }, 0.5, 10);
  expect(currentOf(steps)?.objective).toBe('ranking');
  expect(doneOf(steps)).toBeCloseTo(1.5 / 4);
  // 10 of this one, 6 and 20 for training.
  expect(secondsLeft(steps)).toBeCloseTo(36);
  steps = advanced(steps, { phase: 'training', objective: 'ranking' }, 1, 20);
  expect([currentOf(steps), doneOf(steps), secondsLeft(steps)]).toEqual([undefined, 1, 0]);
});

test('times to wait are words, without digits that nobody knows', () => {
  expect([2, 31, 89, 100, 1700, 7300].map(inWords)).toEqual([
    'a few seconds left',
    'about 30 seconds left',
    'about 90 seconds left',
    'about 2 minutes left',
    'about 28 minutes left',
    'about 2 hours left',
  ]);
});
