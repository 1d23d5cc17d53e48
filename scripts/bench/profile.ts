/** Profiles training by operator and execution provider; see docs/benchmarks.md. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { InferenceSession } from 'onnxruntime-common';
import {
  type ModelName,
  type NodeRuntime,
  nodeRuntime,
  Ratings,
  readRatings,
  train,
} from '../../src/index.ts';
import { onnxRuntime } from '../../src/run/onnxruntime.ts';
import { stepsOf } from '../../src/train/engines/batches.ts';
import { type StepProfile, stepProfile } from './profile-trace.ts';

/** The profiler keeps a million events; a step has about 150. */
const PROFILED_STEPS = 200;
/** Number of operators in a table. */
const OPERATORS = 12;

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    ratings: { type: 'string', default: '100000' },
    users: { type: 'string' },
    items: { type: 'string' },
    batch: { type: 'string' },
    torch: { type: 'string' },
    json: { type: 'string' },
  },
});

const root = fileURLToPath(new URL('../../', import.meta.url));
const models = ['dot-bias', 'mlp'] as const;

interface Row {
  readonly model: string;
  readonly data: string;
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  readonly batch: number;
  /** Without the profiler. */
  readonly millisecondsPerStep: number;
  readonly ratingsPerSecond: number;
  readonly torchMillisecondsPerStep?: number;
  readonly profile: StepProfile;
}

async function main(): Promise<void> {
  const runtime = await nodeRuntime({ device: options.device as NodeRuntime['device'] });
  const machine = { processor: cpus()[0].model.trim(), cores: cpus().length, device: runtime.device };
  console.log(
    `${machine.cores} cores, ${machine.processor}; on ${runtime.device}, ONNX Runtime ${runtime.version}`,
  );
  const rows: Row[] = [];
  for (const [data, ratings] of Object.entries(await dataSets())) {
    const batch = Number(options.batch ?? (ratings.ratings.length > 1_000_000 ? 4096 : 64));
    for (const model of models) {
      const { seconds, steps } = await timed(runtime, ratings, model, batch);
      const row: Row = {
        model,
        data,
        ratings: ratings.ratings.length,
        users: ratings.userIds.length,
        items: ratings.itemIds.length,
        batch,
        millisecondsPerStep: (1000 * seconds) / steps,
        ratingsPerSecond: Math.round(ratings.ratings.length / seconds),
        ...(options.torch &&
          model === 'dot-bias' && {
            torchMillisecondsPerStep: await ofTorch(options.torch, runtime.device, ratings, batch, steps),
          }),
        profile: await profiled(runtime, ratings, model, batch),
      };
      rows.push(row);
      print(row);
    }
  }
  if (options.json) await writeFile(options.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
}

async function dataSets(): Promise<Record<string, Ratings>> {
  const movieLens = join(root, '../shared/data/ml-100k/u1.base');
  const [name, file] = existsSync(movieLens)
    ? ['MovieLens 100K u1', movieLens]
    : ['MovieLens latest-small', join(root, 'src/data/sample/ml-latest-small/ratings.csv.gz')];
  const real = { [name]: (await readRatings(file)).ratings };
  const count = Number(options.ratings);
  if (!(Number.isSafeInteger(count) && count >= 0)) throw new Error('--ratings takes a whole number from 0');
  return count > 0 ? { ...real, synthetic: synthetic(count) } : real;
}

/** Synthetic ratings; as in real data, few users and items have most of them. */
function synthetic(count: number): Ratings {
  const users = Number(options.users ?? Math.max(100, Math.round(count / 100)));
  const items = Number(options.items ?? Math.max(100, Math.round(count / 500)));
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const rows = (below: number): Int32Array =>
    Int32Array.from({ length: count }, () => Math.floor(below * random() ** 2));
  const [userRows, itemRows] = [rows(users), rows(items)];
  return new Ratings({
    userIds: Array.from({ length: users }, (_, row) => String(row)),
    itemIds: Array.from({ length: items }, (_, row) => String(row)),
    users: userRows,
    items: itemRows,
    ratings: Float32Array.from(userRows, (user, index) => 1 + ((user * 7 + itemRows[index] * 3) % 5)),
  });
}

const isStep = (feeds: InferenceSession.FeedsType): boolean => 'learning_rate' in feeds;

/** Seconds and steps of the second epoch, when everything is warmed up. */
async function timed(runtime: NodeRuntime, ratings: Ratings, model: ModelName, batch: number) {
  let seconds = 0;
  const watched: NodeRuntime = {
    ...runtime,
    async createSession(graph, settings) {
      const session = await runtime.createSession(graph, settings);
      const run = session.run.bind(session) as InferenceSession['run'];
      session.run = (async (feeds: InferenceSession.FeedsType, ...rest: []) => {
        const started = performance.now();
        const results = await run(feeds, ...rest);
        if (isStep(feeds)) seconds += (performance.now() - started) / 1000;
        return results;
      }) as InferenceSession['run'];
      return session;
    },
  };
  const steps = stepsOf(ratings.ratings.length, batch);
  const recipe = { model, batchSize: batch, epochs: 2, engine: 'epoch-graph' } as const;
  await train(ratings, recipe, {
    runtime: watched,
    onProgress: ({ epoch, done, ratings: all }) => {
      if (epoch === 0 && done === all) seconds = 0;
    },
  });
  return { seconds, steps };
}

async function profiled(
  runtime: NodeRuntime,
  ratings: Ratings,
  model: ModelName,
  batch: number,
): Promise<StepProfile> {
  const { InferenceSession } = await onnxRuntime();
  const folder = await mkdtemp(join(tmpdir(), 'cofactor-profile-'));
  let steps = 0;
  let sessions = 0;
  const traced: NodeRuntime = {
    ...runtime,
    async createSession(graph) {
      const prefix = `session-${sessions++}`;
      const session = await InferenceSession.create(graph, {
        executionProviders: [runtime.device],
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
        enableProfiling: true,
        profileFilePrefix: join(folder, prefix),
      });
      const run = session.run.bind(session) as InferenceSession['run'];
      session.run = (async (feeds: InferenceSession.FeedsType, ...rest: []) => {
        const results = await run(feeds, ...rest);
        if (isStep(feeds) && wanted === '') {
          steps = feeds.learning_rate.dims[0];
          // The session may be released later.
          session.endProfiling();
          wanted = prefix;
        }
        return results;
      }) as InferenceSession['run'];
      return session;
    },
  };
  let wanted = '';
  try {
    const part = some(ratings, PROFILED_STEPS * batch);
    const recipe = { model, batchSize: batch, epochs: 1, engine: 'epoch-graph' } as const;
    await train(part, recipe, { runtime: traced, ratingsPerRun: 2 * part.ratings.length });
    const file = (await readdir(folder)).find((name) => name.startsWith(`${wanted}_`)) as string;
    return stepProfile(await readFile(join(folder, file), 'utf8'), steps);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A sample of the ratings, evenly from the file; the tables keep their size. */
function some(ratings: Ratings, count: number): Ratings {
  const all = ratings.ratings.length;
  if (count >= all) return ratings;
  const indices = Float64Array.from({ length: count }, (_, at) => Math.floor((at * all) / count));
  return new Ratings({
    ...ratings,
    users: Int32Array.from(indices, (index) => ratings.users[index]),
    items: Int32Array.from(indices, (index) => ratings.items[index]),
    ratings: Float32Array.from(indices, (index) => ratings.ratings[index]),
    times: undefined,
  });
}

/** Times the same recipe as a PyTorch loop on the same device. */
async function ofTorch(
  python: string,
  device: string,
  { users, items, ratings }: Ratings,
  batch: number,
  steps: number,
) {
  const folder = await mkdtemp(join(tmpdir(), 'cofactor-torch-'));
  try {
    const lines: string[] = [];
    for (const [index, user] of users.entries()) lines.push(`${user}\t${items[index]}\t${ratings[index]}\n`);
    const file = join(folder, 'ratings.tsv');
    await writeFile(file, lines);
    const script = fileURLToPath(new URL('torch_loop.py', import.meta.url));
    // PyTorch's fastest variant: one kernel updates all parameters.
    const flags = [`--device=${device}`, `--batch=${batch}`, '--epochs=2', '--optimizer=fused'];
    const { stdout } = await promisify(execFile)(python, [script, file, file, ...flags]);
    const { seconds } = JSON.parse(stdout.trim().split('\n').at(-1) as string);
    return (1000 * seconds.train) / (2 * steps);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const count = (value: number): string => value.toLocaleString('en-US');

function print(row: Row): void {
  const { operators, nodes, copies, loopMicrosecondsPerStep } = row.profile;
  const total = operators.reduce(
    (sum, { microsecondsPerStep }) => sum + microsecondsPerStep,
    loopMicrosecondsPerStep,
  );
  const where = Object.entries(nodes).map(([provider, number]) => `${number} on ${provider}`);
  console.log(
    `\n${row.model}, ${row.data}: ${count(row.ratings)} ratings of ${count(row.items)} items by ${count(row.users)} users, batch ${row.batch}`,
  );
  console.log(
    `  ${row.millisecondsPerStep.toFixed(3)} ms a step, ${count(row.ratingsPerSecond)} ratings a second (without the profiler)`,
  );
  if (row.torchMillisecondsPerStep)
    console.log(`  PyTorch, fused AdamW: ${row.torchMillisecondsPerStep.toFixed(3)} ms a step`);
  console.log(
    `  nodes of the loop body: ${where.join(', ')}; ${copies} of them copy from or to the CPU’s memory\n`,
  );
  const line = (cells: readonly string[]): void => {
    const [operator, provider, ...rest] = cells;
    console.log(
      `  ${operator.padEnd(22)}${provider.padEnd(8)}${rest.map((cell) => cell.padStart(12)).join('')}`,
    );
  };
  line(['operator', 'on', 'nodes', 'µs a step', '%']);
  const share = (microseconds: number): string[] => [
    microseconds.toFixed(1),
    ((100 * microseconds) / total).toFixed(1),
  ];
  for (const { operator, provider, nodes, microsecondsPerStep } of operators.slice(0, OPERATORS))
    line([operator, provider, String(nodes), ...share(microsecondsPerStep)]);
  const rest = operators.slice(OPERATORS);
  if (rest.length > 0) {
    const number = rest.reduce((sum, { nodes }) => sum + nodes, 0);
    const microseconds = rest.reduce((sum, { microsecondsPerStep }) => sum + microsecondsPerStep, 0);
    line(['others', '', String(number), ...share(microseconds)]);
  }
  line(['the loop, the profiler', '', '', ...share(loopMicrosecondsPerStep)]);
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
