/** What ONNX Runtime's profiler wrote, as a table of where the time of a training step goes. */

/** One operator on one provider, in the loop's body. */
export interface OperatorRow {
  readonly operator: string;
  readonly provider: string;
  /** Nodes in the body, each of which runs once a step. */
  readonly nodes: number;
  readonly microsecondsAStep: number;
}

export interface StepProfile {
  /** The most expensive first. */
  readonly operators: readonly OperatorRow[];
  /** How many nodes of the body run where. */
  readonly nodes: Readonly<Record<string, number>>;
  /** Those of them that copy between the device and the CPU's memory. */
  readonly copies: number;
  /** Of a step, outside all its nodes: what the loop itself does, such as copying its state, and the profiler. */
  readonly loopMicrosecondsAStep: number;
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

const SUFFIX = '_kernel_time';

/** @param steps of the one run that was profiled: a node that ran so often is in the body */
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
    // The copies of a graph and of the loop in it have the same names.
    const key = `${name} ${args.op_name} ${provider}`;
    const node = nodes.get(key) ?? { operator: args.op_name, provider, runs: 0, microseconds: 0 };
    node.runs++;
    node.microseconds += dur;
    nodes.set(key, node);
  }
  const rows = new Map<string, OperatorRow>();
  for (const { operator, provider, runs, microseconds } of nodes.values()) {
    // Nodes without a name share one, so it may have run several times a step.
    const inBody = Math.floor(runs / steps);
    if (inBody === 0) continue;
    const key = `${operator} ${provider}`;
    const row = rows.get(key);
    rows.set(key, {
      operator,
      provider,
      nodes: (row?.nodes ?? 0) + inBody,
      microsecondsAStep: (row?.microsecondsAStep ?? 0) + microseconds / steps,
    });
  }
  const operators = [...rows.values()].sort((a, b) => b.microsecondsAStep - a.microsecondsAStep);
  const sum = (some: readonly OperatorRow[], of: 'nodes' | 'microsecondsAStep'): number =>
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
    loopMicrosecondsAStep: Math.max(0, loop / steps - sum(operators, 'microsecondsAStep')),
  };
}
