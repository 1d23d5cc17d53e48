import { type Parts, tensorOf } from '../../../run/rows.ts';
import { SESSION, startThreads } from '../../../run/worker-graph.ts';
import { buffersOf, type NamedParts } from '../../../run/worker-messages.ts';
import { mapValues } from '../../../util/map-values.ts';
import { stateName } from '../../step/layout.ts';
import type { StepsDone, Training } from '../engine.ts';
import { copied, type ListRuns, type ListTask, stepsDone } from './engine.ts';
import { type ListSteps, listEpoch, stepsOfEpoch } from './lists.ts';
import { writeRows } from './tables.ts';

/**
 * Trains several shards in parallel, each some steps with users of its own: they start from the same rows of items, which are
 * then merged. The result depends on the number of shards, but not on the number of threads. Threads share no memory.
 */
export async function trainInShards(task: ListTask, runs: ListRuns): Promise<Training> {
  const { positives, plan } = task;
  const { shards = 1 } = plan.training;
  const { tables, feeds, rowsIn } = runs;
  const threads = await threadsFor(task, runs.graph);
  const wanted = Math.round(stepsOfEpoch(positives, plan.training) / (shards * ROUNDS));
  const steps = Math.max(1, Math.min(MOST_STEPS, wanted));
  const merge = new Merge(task, runs);

  /** The results of each shard, in order. A thread gets its next feeds when it has finished. */
  const trained = (round: readonly ListSteps[]): Promise<NamedParts>[] => {
    const last: Promise<unknown>[] = threads.map(() => Promise.resolve());
    return round.map((own, shard) => {
      const thread = shard % threads.length;
      const run = last[thread].then(() => {
        const all = feeds(own);
        const copies = Object.entries(all).filter(([name]) => name in tables && rowsIn(own, name));
        return threads[thread].run(all, buffersOf(Object.fromEntries(copies)));
      });
      last[thread] = run;
      // An error is thrown where the results are awaited.
      run.catch(() => undefined);
      return run;
    });
  };

  return {
    async *epoch(number) {
      const all = listEpoch(positives, number, plan.training, { steps });
      let ahead = taken(all, shards);
      while (ahead.length > 0) {
        const round = ahead;
        const results = trained(round);
        try {
          // Draws the next round while the threads train.
          ahead = taken(all, shards);
          const done: StepsDone[] = [];
          for (const [shard, own] of round.entries()) {
            const found = await results[shard];
            merge.add(own, found);
            done.push(stepsDone(own, found.loss.data as Float32Array));
          }
          merge.finish();
          yield* done;
        } finally {
          await Promise.allSettled(results);
        }
      }
    },
    // Copies, because the next epoch writes to the tables.
    carried: async () => copied(tables),
    release: async () => {
      await Promise.all(threads.map((thread) => thread.release()));
    },
  };
}

/** About how often the shards of an epoch are merged. */
const ROUNDS = 2;
/** Steps of a shard, if these are few: a run copies the rows of all its users in each step. */
const MOST_STEPS = 8;

function taken<T>(values: Iterator<T>, count: number): T[] {
  const found: T[] = [];
  while (found.length < count) {
    const { value, done } = values.next();
    if (done) break;
    found.push(value);
  }
  return found;
}

interface Thread {
  /** @param handedOver buffers of the feeds that nothing else uses */
  run(feeds: NamedParts, handedOver: ArrayBuffer[]): Promise<NamedParts>;
  release(): Promise<void>;
}

async function threadsFor({ plan, runtime, workers = 1 }: ListTask, graph: Uint8Array): Promise<Thread[]> {
  const count = Math.min(workers, plan.training.shards ?? 1);
  if (count === 1 || (runtime.device ?? 'cpu') !== 'cpu') {
    const session = await runtime.createSession(graph, { threads: 1 });
    const run: Thread['run'] = async (feeds) =>
      (await session.run(mapValues(feeds, tensorOf))) as Record<string, Parts>;
    return [{ run, release: () => session.release() }];
  }
  const threads = await startThreads(count, graph);
  return threads.map((thread) => ({
    run: (feeds, handedOver) => thread.run(SESSION, feeds, handedOver),
    release: () => thread.terminate(),
  }));
}

/**
 * Merges the tables of shards. Users' rows are in one shard each. Of the other tables, the changes by all shards are added up.
 * Each shard has divided its gradients by the root of its own sum of squares (Adagrad); here they are divided by that of all.
 */
class Merge {
  readonly sums: Readonly<Record<string, Record<'change' | 'growth', Float32Array>>>;

  constructor(
    { model }: ListTask,
    private readonly runs: ListRuns,
  ) {
    const merged = Object.keys(model.parameters).filter((name) => model.parameters[name].rowsOf !== 'user');
    this.sums = Object.fromEntries(
      merged.map((name) => {
        const zeros = () => new Float32Array(runs.tables[name].data.length);
        return [name, { change: zeros(), growth: zeros() }];
      }),
    );
  }

  add(steps: ListSteps, results: NamedParts): void {
    const { tables, rowsIn } = this.runs;
    const next = (name: string): Float32Array => results[`${name}.next`].data as Float32Array;
    for (const [name, table] of Object.entries(tables)) {
      const rows = rowsIn(steps, name);
      if (!(name.split('.')[0] in this.sums)) writeRows(table, rows as Int32Array, next(name));
      else if (name in this.sums) {
        const state = stateName(name, SQUARES);
        const before = { table: table.data, state: tables[state].data };
        addChanges(this.sums[name], before, { table: next(name), state: next(state), rows });
      }
    }
  }

  /** Applies what was added. */
  finish(): void {
    const { tables } = this.runs;
    for (const [name, { change, growth }] of Object.entries(this.sums)) {
      const [table, state] = [tables[name].data, tables[stateName(name, SQUARES)].data];
      for (let at = 0; at < change.length; at++) {
        if (change[at] === 0) continue;
        state[at] += growth[at];
        table[at] += change[at] / Math.sqrt(state[at]);
      }
      change.fill(0);
      growth.fill(0);
    }
  }
}

/** The optimizer's state, see `adagrad`. */
const SQUARES = 'sum_of_squares';

interface Stepped {
  readonly table: Float32Array;
  readonly state: Float32Array;
}

function addChanges(
  { change, growth }: Merge['sums'][string],
  before: Stepped,
  after: Stepped & { readonly rows: Int32Array | undefined },
): void {
  const { table, state, rows } = after;
  const width = rows ? table.length / rows.length : table.length;
  const count = rows?.length ?? 1;
  for (let index = 0, from = 0; index < count; index++)
    for (let to = (rows?.[index] ?? 0) * width, last = to + width; to < last; to++, from++) {
      change[to] += (table[from] - before.table[to]) * Math.sqrt(state[from]);
      growth[to] += state[from] - before.state[to];
    }
}
