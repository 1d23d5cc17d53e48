/** Summarizes the trace of ONNX Runtime's profiler by operator. */

/** An operator of the loop's body on one execution provider. */
export interface OperatorRow {
  readonly operator: string;
  readonly provider: string;
  /** Number of nodes in the body; each runs once per step. */
  readonly nodes: number;
  readonly microsecondsPerStep: number;
}

export interface StepProfile {
  /** Sorted by time, the most expensive first. */
  readonly operators: readonly OperatorRow[];
  /** Number of nodes of the body by execution provider. */
  readonly nodes: Readonly<Record<string, number>>;
  /** Number of nodes that copy between the device's and the CPU's memory. */
  readonly copies: number;
  /** Time per step outside the nodes: the loop itself, which copies its state, and the profiler. */
  readonly loopMicrosecondsPerStep: number;
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

const SUFFIX = '_kernel_time';

/** @param steps number of steps in the profiled run: a node that ran as often is in the body */
export function stepProfile(trace: string, steps: number): StepProfile {
  const nodes = new Map<string, { operator: string; provider: string; runs: number; microseconds: number }>();
  let loop = 0;
  for (const { cat, name, dur, args } of JSON.parse(trace) as TraceEvent[]) {
    if (cat !== 'Node' || !name.endsWith(SUFFIX) || !args?.op_name) continue;
    if (args.op_name === 'Loop') {
      loop += dur;
      continue;
    }
    const provider = (args.provider ?? '').replace('ExecutionProvider', '');
    // Copy nodes of a graph and of the loop in it have the same names.
    const key = `${name} ${args.op_name} ${provider}`;
    const node = nodes.get(key) ?? { operator: args.op_name, provider, runs: 0, microseconds: 0 };
    node.runs++;
    node.microseconds += dur;
    nodes.set(key, node);
  }
  const rows = new Map<string, OperatorRow>();
  for (const { operator, provider, runs, microseconds } of nodes.values()) {
    // Nodes without a name are counted as one, which then runs several times per step.
    const inBody = Math.floor(runs / steps);
    if (inBody === 0) continue;
    const key = `${operator} ${provider}`;
    const row = rows.get(key);
    rows.set(key, {
      operator,
      provider,
      nodes: (row?.nodes ?? 0) + inBody,
      microsecondsPerStep: (row?.microsecondsPerStep ?? 0) + microseconds / steps,
    });
  }
  const operators = [...rows.values()].sort((a, b) => b.microsecondsPerStep - a.microsecondsPerStep);
  const sum = (some: readonly OperatorRow[], of: 'nodes' | 'microsecondsPerStep'): number =>
    some.reduce((total, row) => total + row[of], 0);
  const providers = [...new Set(operators.map(({ provider }) => provider))];
  return {
    operators,
    nodes: Object.fromEntries(
      providers.map((name) => [
        name,
        sum(
          operators.filter(({ provider }) => provider === name),
          'nodes',
        ),
      ]),
    ),
    copies: sum(
      operators.filter(({ operator }) => operator.startsWith('Memcpy')),
      'nodes',
    ),
    loopMicrosecondsPerStep: Math.max(0, loop / steps - sum(operators, 'microsecondsPerStep')),
  };
}
