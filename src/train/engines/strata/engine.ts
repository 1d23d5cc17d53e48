import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Dataset } from '../../../data/dataset/dataset.ts';
import { type BlockCounts, type Strata, type Stratum, strataOf } from '../../../data/dataset/strata.ts';
import { encodeModel } from '../../../onnx/index.ts';
import type { Parts } from '../../../run/rows.ts';
import { SESSION, startThreads } from '../../../run/worker-graph.ts';
import type { WorkerHandle } from '../../../run/worker-handle.ts';
import { buffersOf, type NamedParts } from '../../../run/worker-messages.ts';
import { mapValues } from '../../../util/map-values.ts';
import { generator, type RandomGenerator, uniforms } from '../../../util/random.ts';
import { FIRST_EPOCH, stepsOf } from '../batches.ts';
import type { Engine, StepsDone, Training, TrainingTask } from '../engine.ts';
import { withState } from '../epoch/engine.ts';
import { noiseSize, noiseStarts } from '../noise.ts';
import { blockGraph } from './graph.ts';
import { type BlockTables, cut, join } from './tables.ts';
import { roundsOf, type Visit } from './visits.ts';

/**
 * Trains several strata in parallel. The cost of a step does not depend on the number of users and items: a run gets a
 * block of users, a block of items and their ratings, and returns the updated blocks. Threads share no memory: blocks are
 * transferred to them and back. Parameters of neither users nor items, such as the layers of an MLP, are trained in a few
 * strata from the same values; then they are averaged. The result does not depend on the number of threads.
 */
export const strataEngine: Engine = {
  async prepare(task) {
    const { file, dropoutWidths } = blockGraph(task);
    const graph = encodeModel(file);
    return {
      graph,
      async start({ carried }) {
        const { blocks, seed } = task.plan.training;
        const [users, items] = blocks as BlockCounts;
        const strata = task.data.strata?.() ?? (await strataInMemory(task.data, [users, items], seed));
        const tables = cut(withState(task, carried), task.model, strata.users, strata.items);
        // At most as many threads as there are strata that can be trained in parallel.
        const most = Math.min(users, items, widthFor(tables));
        const threads = await startThreads(Math.min(task.workers ?? 1, most), graph);
        return new StrataTraining(task, strata, threads, { tables, dropoutWidths });
      },
    };
  },
};

/** No method of `Ratings`, which is also in pages, where no engine trains by strata. */
async function strataInMemory(data: Dataset, blocks: BlockCounts, seed: number): Promise<Strata> {
  const { userIds, itemIds, facts } = data;
  return strataOf({ ...(await data.sample(facts.ratings)), userIds, itemIds }, blocks, seed);
}

/**
 * At most so many strata are trained from the same values of shared parameters, which are then averaged. With more of them,
 * more threads have work, but each average moves the parameters less.
 */
const AVERAGED = 4;

/** The training of one stratum in an epoch. */
interface Turn {
  readonly visit: Visit;
  /** Reads the ratings; there is at least one. */
  read(): Promise<Stratum>;
  /** Index of each step's first rating, and the number of ratings at the end. */
  readonly starts: readonly number[];
  /** Progress of the whole training, from 0 to 1. */
  readonly progress: number;
  /** Number of steps before. */
  readonly stepsDone: number;
  /** The starts of the dropout masks of all steps. */
  readonly noiseStarts: NamedParts;
}

interface VisitDone extends StepsDone {
  readonly shared: Tensors;
}

/** Strata that are read, wait for their blocks or train, for each thread: enough that no thread waits for the main thread. */
const AHEAD = 2;

class StrataTraining implements Training {
  constructor(
    private readonly task: TrainingTask,
    private readonly strata: Strata,
    private readonly threads: readonly WorkerHandle[],
    private readonly blocks: { tables: BlockTables; readonly dropoutWidths: readonly number[] },
  ) {}

  async *epoch(number: number): AsyncGenerator<StepsDone> {
    const { tables } = this.blocks;
    const random = generator(this.task.plan.training.seed, FIRST_EPOCH + number);
    const rounds = this.turnsOf(number, random);
    await this.holdNoise(random);
    const pool = new ThreadPool(this.threads);
    const last = { users: new Map<number, Promise<unknown>>(), items: new Map<number, Promise<unknown>>() };
    const started: Promise<VisitDone>[] = [];
    let averaged: Promise<unknown> | undefined;
    try {
      for (const round of rounds) {
        const runs: Promise<VisitDone>[] = [];
        for (const turn of round) {
          if (started.length >= AHEAD * this.threads.length) yield (await started.shift()) as VisitDone;
          const { user, item } = turn.visit;
          const run = Promise.all([turn.read(), last.users.get(user), last.items.get(item), averaged]).then(
            ([stratum]) => pool.use((thread) => this.visit(turn, stratum, thread)),
          );
          run.catch(() => undefined);
          last.users.set(user, run);
          last.items.set(item, run);
          started.push(run);
          runs.push(run);
        }
        if (!hasShared(tables)) continue;
        averaged = Promise.all(runs).then((done) => {
          tables.shared = meanOf(done.map(({ shared }) => shared));
        });
        averaged.catch(() => undefined);
      }
      while (started.length > 0) yield (await started.shift()) as VisitDone;
      await averaged;
    } finally {
      // Waits for all runs before an error is thrown.
      await Promise.allSettled([...last.users.values(), ...last.items.values()]);
    }
  }

  replace(carried: Tensors): void {
    this.blocks.tables = cut(carried, this.task.model, this.strata.users, this.strata.items);
  }

  async carried(): Promise<Tensors> {
    return join(this.blocks.tables, this.strata.users, this.strata.items);
  }

  async release(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  private turnsOf(number: number, random: RandomGenerator): Turn[][] {
    const { batchSize, epochs } = this.task.plan.training;
    const { starts, users, items } = this.strata;
    const itemBlocks = items.starts.length - 1;
    const total = starts[starts.length - 1];
    const rounds = roundsOf(users.starts.length - 1, itemBlocks, widthFor(this.blocks.tables), random);
    let done = 0;
    const turns = rounds.map((round) =>
      round.flatMap((visit): Turn[] => {
        const stratum = visit.user * itemBlocks + visit.item;
        const count = starts[stratum + 1] - starts[stratum];
        if (count === 0) return [];
        const stepStarts = startsOf(count, batchSize, random);
        const passed = number * total + done;
        done += count;
        const turn = {
          visit,
          read: () => this.strata.read(stratum),
          starts: stepStarts,
          noiseStarts: mapValues(
            noiseStarts(stepStarts.length - 1, batchSize, this.blocks.dropoutWidths, random),
            (data): Parts => ({ type: 'int64', dims: [data.length], data }),
          ),
          progress: passed / (epochs * total),
          stepsDone: stepsOf(passed, batchSize),
        };
        return [turn];
      }),
    );
    return turns.filter((round) => round.length > 0);
  }

  private async visit(
    { visit, starts, progress, stepsDone, noiseStarts }: Turn,
    { users, items, ratings }: Stratum,
    thread: WorkerHandle,
  ): Promise<VisitDone> {
    const { tables } = this.blocks;
    const count = ratings.length;
    const steps = starts.length - 1;
    const { learningRate, momentum } = this.task.schedule.at(progress);
    const ofSteps = (value: number) => floats([steps], new Float32Array(steps).fill(value));
    const own = mapValues({ ...tables.users[visit.user], ...tables.items[visit.item] }, ({ dims, data }) =>
      floats(dims, data),
    );
    const data: NamedParts = {
      user: { type: 'int32', dims: [count], data: users },
      item: { type: 'int32', dims: [count], data: items },
      actual: floats([count], ratings),
    };
    const feeds: NamedParts = {
      ...own,
      ...mapValues(tables.shared, ({ dims, data }) => floats(dims, data)),
      ...data,
      batch_start: { type: 'int64', dims: [steps + 1], data: BigInt64Array.from(starts, BigInt) },
      learning_rate: ofSteps(learningRate),
      momentum: ofSteps(momentum),
      first_step: floats([], Float32Array.of(stepsDone + 1)),
      ...noiseStarts,
    };
    const results = await thread.run(SESSION, feeds, buffersOf({ ...own, ...data }));
    const next = (old: Tensors): Tensors =>
      mapValues(old, ({ dims }, name) => ({ dims, data: results[`${name}.next`].data as Float32Array }));
    tables.users[visit.user] = next(tables.users[visit.user]);
    tables.items[visit.item] = next(tables.items[visit.item]);
    return { losses: results.loss.data as Float32Array, starts, shared: next(tables.shared) };
  }

  private async holdNoise(random: RandomGenerator): Promise<void> {
    if (this.blocks.dropoutWidths.length === 0) return;
    const size = noiseSize(this.task.plan.training.batchSize, this.blocks.dropoutWidths);
    const noise = floats([size], uniforms(size, random));
    await Promise.all(this.threads.map((thread) => thread.hold(SESSION, { noise })));
  }
}

/** Gives runs to threads as they become free. What a run gives does not depend on its thread. */
class ThreadPool {
  private readonly waiting: ((thread: WorkerHandle) => void)[] = [];
  private readonly free: WorkerHandle[];

  constructor(threads: readonly WorkerHandle[]) {
    this.free = [...threads];
  }

  async use<T>(run: (thread: WorkerHandle) => Promise<T>): Promise<T> {
    const thread =
      this.free.pop() ?? (await new Promise<WorkerHandle>((resolve) => this.waiting.push(resolve)));
    try {
      return await run(thread);
    } finally {
      const next = this.waiting.shift();
      if (next) next(thread);
      else this.free.push(thread);
    }
  }
}

const hasShared = ({ shared }: BlockTables): boolean => Object.keys(shared).length > 0;

const widthFor = (tables: BlockTables): number => (hasShared(tables) ? AVERAGED : Number.POSITIVE_INFINITY);

/** Batches of the same size, except the first and the last. The first is random, so that batches differ between epochs. */
function startsOf(count: number, batchSize: number, random: RandomGenerator): number[] {
  if (count <= batchSize) return [0, count];
  const first = 1 + Math.floor(uniforms(1, random)[0] * batchSize);
  const starts = [0];
  for (let start = first; start < count; start += batchSize) starts.push(start);
  return [...starts, count];
}

const floats = (dims: readonly number[], data: Float32Array) => ({ type: 'float32', dims, data }) as const;

function meanOf(parts: readonly Tensors[]): Tensors {
  return mapValues(parts[0], ({ dims, data }, name) => ({
    dims,
    data: data.map((_, index) => parts.reduce((sum, part) => sum + part[name].data[index], 0) / parts.length),
  }));
}
