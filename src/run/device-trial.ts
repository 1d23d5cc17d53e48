import { env, type InferenceSession, type Tensor } from 'onnxruntime-common';
import type { Device } from './device-names.ts';
import { runtimeOn } from './node.ts';
import { difference, probeFeeds, probeModel, speedFeeds, speedModel } from './probe.ts';
import { report } from './trial-process.ts';

/** The process of `devices.ts`: tries the device that is its argument, measures it, and says how that went. */
const device = process.argv[2] as Device;
// Which library is missing is said in the log alone.
env.logLevel = 'error';

type Tensors = Readonly<Record<string, Tensor>>;

/** @returns how many times as fast as the CPU it is */
async function tryOut(): Promise<number> {
  const [here, reference] = await sessions(probeModel());
  const feeds = probeFeeds();
  const expected = (await reference.run(feeds)) as Tensors;
  // The second run may go through what the first has kept.
  for (let run = 1; run <= 2; run++) {
    const wrong = difference(expected, (await here.run(feeds)) as Tensors);
    if (wrong !== undefined) throw new Error(`it gives wrong numbers (in run ${run} ${wrong})`);
  }
  const [seconds, secondsOnCpu] = await timed(await sessions(speedModel()));
  return Number((secondsOnCpu / seconds).toPrecision(3));
}

async function sessions(model: Uint8Array): Promise<InferenceSession[]> {
  const create = async (name: Device) => (await runtimeOn(name)).createSession(model, { threads: 1 });
  return [await create(device), await create('cpu')];
}

/** What a run takes each, once it has warmed up. */
async function timed(sessions: readonly InferenceSession[]): Promise<number[]> {
  const feeds = speedFeeds();
  const all: number[] = [];
  for (const session of sessions) {
    await session.run(feeds);
    const started = performance.now();
    await session.run(feeds);
    all.push((performance.now() - started) / 1000);
  }
  return all;
}

await report(tryOut);
