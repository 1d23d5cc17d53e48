import type { GoldenCase, JsonTensor, JsonTensors, Report } from './cases.ts';

/** What two runtimes may differ by in a rating or a score. */
const TOLERANCE = 1e-5;

/**
 * The same in the fold-in of a perceptron that ranks: in the ten steps of a new person's row, rounding decides whether units
 * whose input is near zero are on.
 */
const OF_UNITS = 1e-3;

const toleranceOf = (model: string): number => (/^mlp-.*\/fold-in/.test(model) ? OF_UNITS : TOLERANCE);

/** How far a runtime is from a golden set in all cases of one file. */
export interface Verdict {
  /** The largest difference between two floats. */
  readonly difference: number;
  /** Places in which an item stands that is ranked within the tolerance of the expected one. */
  readonly swaps: number;
  /** What else differs, or the error that the runtime met. */
  readonly problem?: string;
}

/** Whether a runtime gives the same: ratings within the tolerance, and all else as it is. */
export const agrees = ({ problem }: Verdict): boolean => problem === undefined;

/** Verdicts by file. */
export function compare(
  golden: readonly GoldenCase[],
  { results }: Report,
): Readonly<Record<string, Verdict>> {
  const verdicts: Record<string, Verdict> = {};
  for (const [index, { model, outputs }] of golden.entries()) {
    const result = results[index] ?? { error: 'no result' };
    const verdict =
      'error' in result
        ? { difference: 0, swaps: 0, problem: result.error }
        : compareOutputs(outputs, result.outputs, toleranceOf(model));
    verdicts[model] = verdicts[model] ? worse(verdicts[model], verdict) : verdict;
  }
  return verdicts;
}

/** Two verdicts as one. */
export function worse(one: Verdict, other: Verdict): Verdict {
  return {
    difference: Math.max(one.difference, other.difference),
    swaps: one.swaps + other.swaps,
    problem: one.problem ?? other.problem,
  };
}

function compareOutputs(golden: JsonTensors, outputs: JsonTensors, tolerance: number): Verdict {
  let difference = 0;
  let swaps = 0;
  for (const name of new Set([...Object.keys(golden), ...Object.keys(outputs)])) {
    const [wanted, got] = [golden[name], outputs[name]];
    if (describe(wanted) !== describe(got))
      return { difference, swaps, problem: `${name} is ${describe(got)}, not ${describe(wanted)}` };
    const scores = scoresOf(name, golden);
    const names = wanted.type === 'float' ? namesOf(name, golden) : undefined;
    for (const [index, value] of wanted.data.entries()) {
      const place = names ? placeOf(index, golden[names], outputs[names]) : index;
      if (place === undefined) continue;
      const other = got.data[place];
      if (wanted.type === 'float') difference = Math.max(difference, distance(value, other));
      else if (other === value) continue;
      else if (scores && areNear(index, [wanted, got], [golden[scores], outputs[scores]], tolerance)) swaps++;
      else {
        const problem = `${name}[${index}] is ${JSON.stringify(other)}, not ${JSON.stringify(value)}`;
        return { difference, swaps, problem };
      }
    }
  }
  if (difference <= tolerance) return { difference, swaps };
  return { difference, swaps, problem: `a float differs by ${difference}` };
}

/** The name of the strings that floats stand beside, if others say their order. */
const namesOf = (name: string, outputs: JsonTensors): string | undefined =>
  Object.keys(outputs).find((other) => {
    const scores = scoresOf(other, outputs);
    return scores && scores !== name && `${outputs[other].shape}` === `${outputs[name].shape}`;
  });

/** Where the other row has the name at `index`; undefined if it came after the last. */
function placeOf(index: number, wanted: JsonTensor, got?: JsonTensor): number | undefined {
  const width = wanted.shape[wanted.shape.length - 1];
  const start = index - (index % width);
  if (!got || wanted.data[index] === '') return index;
  const at = got.data.slice(start, start + width).indexOf(wanted.data[index]);
  return at < 0 ? undefined : start + at;
}

/** The name of the floats that strings are ranked by: those of the same shape. */
function scoresOf(name: string, outputs: JsonTensors): string | undefined {
  const { type, shape } = outputs[name];
  if (type !== 'string') return undefined;
  return Object.keys(outputs).find(
    (other) => outputs[other].type === 'float' && `${outputs[other].shape}` === `${shape}`,
  );
}

/**
 * Whether, in a row of strings ranked by scores, that at `index` may stand there: arithmetic of another order makes one
 * of two near scores the higher. Where both runtimes find two scores equal, their order must be the same.
 */
function areNear(
  index: number,
  [wanted, got]: readonly JsonTensor[],
  [wantedScores, gotScores]: readonly JsonTensor[],
  tolerance: number,
): boolean {
  const width = wanted.shape[wanted.shape.length - 1];
  const start = index - (index % width);
  const find = ({ data }: JsonTensor, value: string | number) => {
    const at = data.slice(start, start + width).indexOf(value);
    return at < 0 ? undefined : start + at;
  };
  // No item twice, which would have another one lost.
  if (got.data[index] !== '' && find(got, got.data[index]) !== index) return false;
  const there = find(wanted, got.data[index]);
  const here = find(got, wanted.data[index]);
  const inverted =
    there !== undefined &&
    here !== undefined &&
    wantedScores.data[there] === wantedScores.data[index] &&
    gotScores.data[here] === gotScores.data[index] &&
    there > index === here > index;
  // What is not in the row at all came after its last.
  const score = wantedScores.data[there ?? start + width - 1];
  return !inverted && distance(score, wantedScores.data[index]) <= tolerance;
}

/** How far a float is; NaN, which is beyond all tolerances, when it is none. */
function distance(wanted: string | number, got: string | number | null): number {
  return typeof got === 'number' ? Math.abs(Math.fround(got) - Math.fround(Number(wanted))) : Number.NaN;
}

const describe = (tensor?: JsonTensor): string => (tensor ? `${tensor.type}[${tensor.shape}]` : 'absent');
