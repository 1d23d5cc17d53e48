import { env, type InferenceSession, type Tensor } from 'onnxruntime-common';
import type { Device } from './device-names.ts';
import { runtimeOn } from './node.ts';
import { difference, probeFeeds, probeModel, speedFeeds, speedModel } from './probe.ts';
import { report } from './trial-process.ts';

/** The process that `devices.ts` starts: tries the device of its argument, measures its speed, and reports the result. */
const device = process.argv[2] as Device;
// Only the log names a missing library.
env.logLevel = 'error';

type Tensors = Readonly<Record<string, Tensor>>;

/** @returns the device's speed as a multiple of the CPU's */
async function tryOut(): Promise<number> {
  const [here, reference] = await sessions(probeModel());
  const feeds = probeFeeds();
  const expected = (await reference.run(feeds)) as Tensors;
  // Twice, because the second run may use cached programs and buffers.
  for (let run = 1; run <= 2; run++) {
    const wrong = difference(expected, (await here.run(feeds)) as Tensors);
    if (wrong !== undefined) throw new Error(`it computes wrong numbers (in run ${run} ${wrong})`);
  }
  const [seconds, secondsOnCpu] = await timed(await sessions(speedModel()));
  return Number((secondsOnCpu / seconds).toPrecision(3));
}

async function sessions(model: Uint8Array): Promise<InferenceSession[]> {
  const create = async (name: Device) => (await runtimeOn(name)).createSession(model, { threads: 1 });
  return [await create(device), await create('cpu')];
}

/** Seconds that a run of each session takes after a first one. */
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
