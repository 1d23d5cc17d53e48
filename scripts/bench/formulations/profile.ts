/** What bounds a step: what its operators take, and what they move at the least. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contender, RATINGS } from './contenders.ts';
import type { Formulation } from './list.ts';

/** Nodes of one operator and of the same shapes. */
export interface NodesRow {
  readonly operator: string;
  /** Of what it reads and writes. */
  readonly shapes: string;
  readonly nodes: number;
  /** Each at its fastest. */
  readonly microseconds: number;
  readonly bytes: number;
}

export interface StepProfile {
  /** Of a step; the most expensive first. */
  readonly rows: readonly NodesRow[];
  /** A run of the session, over its steps. */
  readonly runMicroseconds: number;
}

interface TraceEvent {
  readonly name: string;
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Shape[];
    readonly output_type_shape?: readonly Shape[];
  };
}

type Shape = Readonly<Record<string, readonly number[]>>;

/** The profiler keeps a million events, and a step is some hundred. */
const LAPS = 12;
const SUFFIX = '_kernel_time';

export async function stepProfile(formulation: Formulation): Promise<StepProfile> {
  const folder = await mkdtemp(join(tmpdir(), 'cofactor-formulations-'));
  try {
    const { lap, end } = await contender(formulation, {
      enableProfiling: true,
      profileFilePrefix: join(folder, 'trace'),
    });
    for (let count = 0; count < LAPS; count++) await lap();
    end();
    const [file] = await readdir(folder);
    const trips = RATINGS / (formulation.batch * formulation.steps);
    const stepsOfRun = formulation.inPlace ? 1 : trips * formulation.steps;
    return summary(JSON.parse(await readFile(join(folder, file), 'utf8')), LAPS * trips, stepsOfRun);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param trips a node that ran so often is in the loop */
function summary(trace: readonly TraceEvent[], trips: number, stepsOfRun: number): StepProfile {
  const nodes = groups(
    trace.filter(({ name, args }) => args?.op_name && name.endsWith(SUFFIX)),
    ({ name }) => name,
  );
  const ofBody = nodes.filter((events) => events.length >= trips).map(nodeOf);
  const rows = groups(ofBody, ({ operator, shapes }) => `${operator} ${shapes}`).map(
    (same): NodesRow => ({
      ...same[0],
      nodes: same.length,
      microseconds: sum(same.map(({ microseconds }) => microseconds)),
      bytes: sum(same.map(({ bytes }) => bytes)),
    }),
  );
  const runs = trace.filter(({ name }) => name === 'model_run').map(({ dur }) => dur);
  return {
    rows: rows.sort((one, other) => other.microseconds - one.microseconds),
    runMicroseconds: median(runs) / stepsOfRun,
  };
}

function groups<T>(values: readonly T[], keyOf: (value: T) => string): T[][] {
  const byKey = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = byKey.get(key) ?? [];
    byKey.set(key, group);
    group.push(value);
  }
  return [...byKey.values()];
}

function nodeOf(events: readonly TraceEvent[]): Omit<NodesRow, 'nodes'> {
  const { op_name = '', input_type_shape = [], output_type_shape = [] } = events[0].args ?? {};
  const text = (shapes: readonly Shape[]): string =>
    shapes
      .flatMap((shape) => Object.values(shape))
      .map((dims) => dims.join('×') || '1')
      .join(', ');
  return {
    operator: op_name,
    shapes: `${text(input_type_shape)} → ${text(output_type_shape)}`,
    // What the profiler keeps grows, and with it page faults, which scatters in particular get into.
    microseconds: Math.min(...events.map(({ dur }) => dur)),
    bytes: leastBytes(op_name, input_type_shape.map(bytesOf), sum(output_type_shape.map(bytesOf))),
  };
}

/** Read and written, if nothing is copied that need not be. */
function leastBytes(operator: string, inputs: readonly number[], output: number): number {
  switch (operator) {
    case 'Reshape':
    case 'Unsqueeze':
    case 'Squeeze':
    case 'Shape':
    case 'Size':
      return 0;
    case 'Slice':
      return 2 * output;
    case 'Gather':
    case 'GatherElements':
      return inputs[1] + 2 * output;
    case 'ScatterND':
    case 'ScatterElements':
      // The updates, and what they are added to, which is read and written.
      return inputs[1] + 3 * inputs[2];
    default:
      return sum(inputs) + output;
  }
}

const BYTES: Readonly<Record<string, number>> = { float: 4, float16: 2, int32: 4, int64: 8, bool: 1 };

const bytesOf = (shape: Shape): number =>
  sum(Object.entries(shape).map(([type, dims]) => (BYTES[type] ?? 0) * dims.reduce((a, b) => a * b, 1)));

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1];
