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
 * transferred to them and back. Parameters of neither users nor items, such as the layers of an MLP, are trained by each
 * thread from the same values; then they are averaged.
 */
export const strataEngine: Engine = {
  async prepare(task) {
    const { file, dropoutWidths } = blockGraph(task);
    const graph = encodeModel(file);
    return {
      graph,
      async start({ carried }) {
        const { blocks, workers, seed } = task.plan.training;
        const [users, items] = blocks as BlockCounts;
        const strata = task.data.strata?.() ?? (await strataInMemory(task.data, [users, items], seed));
        const tables = cut(withState(task, carried), task.model, strata.users, strata.items);
        // At most as many threads as there are strata that share no block.
        const threads = await startThreads(Math.min(workers as number, users, items), graph);
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

/** Number of rounds that are queued in the threads, so that no thread waits for the main thread. */
const ROUNDS_AHEAD = 1;

class StrataTraining implements Training {
  constructor(
    private readonly task: TrainingTask,
    private readonly strata: Strata,
    private readonly threads: readonly WorkerHandle[],
    private readonly blocks: { readonly tables: BlockTables; readonly dropoutWidths: readonly number[] },
  ) {}

  async *epoch(number: number): AsyncGenerator<StepsDone> {
    const random = generator(this.task.plan.training.seed, FIRST_EPOCH + number);
    const rounds = this.turnsOf(number, random);
    await this.holdNoise(random);
    const isShared = Object.keys(this.blocks.tables.shared).length > 0;
    const last = { users: new Map<number, Promise<unknown>>(), items: new Map<number, Promise<unknown>>() };
    const started: Promise<VisitDone[]>[] = [];
    let ahead = rounds[0]?.map(readAhead);
    try {
      for (const [index, round] of rounds.entries()) {
        const data = ahead;
        const runs = round.map((turn, thread) => {
          const { user, item } = turn.visit;
          const run = Promise.all([data[thread], last.users.get(user), last.items.get(item)]).then(
            ([stratum]) => this.visit(turn, stratum, this.threads[thread]),
          );
          last.users.set(user, run);
          last.items.set(item, run);
          return run;
        });
        started.push(Promise.all(runs));
        // Reads the next round while the threads compute. If no parameters are shared, it is queued, too.
        ahead = rounds[index + 1]?.map(readAhead);
        if (started.length <= (isShared ? 0 : ROUNDS_AHEAD)) continue;
        yield* this.finish((await started.shift()) as VisitDone[]);
      }
      for (const round of started.splice(0)) yield* this.finish(await round);
    } finally {
      // Waits for all runs before an error is thrown.
      await Promise.allSettled([...started, ...last.users.values(), ...last.items.values()]);
    }
  }

  private *finish(round: readonly VisitDone[]): Generator<StepsDone> {
    this.blocks.tables.shared = meanOf(round.map((one) => one.shared));
    yield* round;
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
    const rounds = roundsOf(users.starts.length - 1, itemBlocks, this.threads.length, random);
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

/** Starts to read. An error is thrown where the ratings are awaited. */
function readAhead(turn: Turn): Promise<Stratum> {
  const reading = turn.read();
  reading.catch(() => undefined);
  return reading;
}

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
