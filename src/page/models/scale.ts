/** The ratings that a visitor can give. */
export interface Scale {
  /** Whether ratings are shown as stars: if the best one is 5. Otherwise they are numbers. */
  readonly stars: boolean;
  /** Whether there are half stars. */
  readonly halves: boolean;
  readonly steps: readonly number[];
  readonly high: number;
}

const MOST_STEPS = 10;

/**
 * @param low the lowest rating in the training data
 * @param high the highest rating in the training data
 */
export function scaleOf(low: number, high: number): Scale {
  const [from, to] = [low, high].map((float) => Number(float.toPrecision(7)));
  if (to === 5 && from >= 0) {
    const step = Number.isInteger(from) ? 1 : 0.5;
    return { stars: true, halves: step < 1, high: to, steps: multiples(step, Math.max(from, step), to) };
  }
  return { stars: false, halves: false, high: to, steps: niceSteps(from, to) };
}

/** At most ten round numbers in a range. */
function niceSteps(low: number, high: number): number[] {
  if (high <= low) return [high];
  const power = 10 ** Math.floor(Math.log10((high - low) / MOST_STEPS));
  for (const step of [1, 2, 5, 10, 20].map((factor) => factor * power)) {
    const steps = multiples(step, low, high);
    // A scale from 0 to 10 has eleven numbers, of which 0 is left out.
    if (steps[0] === 0 && steps.length === MOST_STEPS + 1) return steps.slice(1);
    if (steps.length <= MOST_STEPS) return steps.length > 1 ? steps : [low, high];
  }
  return [low, high];
}

function multiples(step: number, low: number, high: number): number[] {
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(7)));
}
