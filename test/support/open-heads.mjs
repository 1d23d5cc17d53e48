// A process that loads and runs one ONNX file after another, as the trial of a model does, under the same guard.
import { Worker } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const SIZES = { n: 2, m: 3 };
const VALUES = {
  string: (size) => Array.from({ length: size }, (_, at) => (at % 2 === 0 ? 'u1' : 'nobody')),
  int64: (size) => new BigInt64Array(size).fill(3n),
  int32: (size) => new Int32Array(size).fill(3),
  float32: (size) => new Float32Array(size).fill(4),
  float64: (size) => new Float64Array(size).fill(4),
  bool: (size) => new Uint8Array(size).fill(1),
};

const guard = process.argv[2];

async function answerOf(bytes) {
  const session = await InferenceSession.create(bytes, { interOpNumThreads: 1, intraOpNumThreads: 1 });
  try {
    const feeds = Object.fromEntries(
      session.inputMetadata.map(({ name, type, shape }) => {
        const dims = shape.map((dim) => (typeof dim === 'number' ? dim : (SIZES[dim] ?? 2)));
        const size = dims.reduce((product, dim) => product * dim, 1);
        return [name, new Tensor(type, VALUES[type](size), dims)];
      }),
    );
    const answers = Object.values(await session.run(feeds));
    const leaks = answers.some(({ type, data }) =>
      Buffer.from(type === 'string' ? data.join() : new Uint8Array(data.buffer)).includes('CANARY'),
    );
    return leaks ? 'leaked' : 'answered';
  } finally {
    await session.release();
  }
}

process.on('message', async ({ bytes, limits }) => {
  const thread = new Worker(new URL(guard), { workerData: { ...limits, mark: 'ended by its guard: ' } });
  await new Promise((resolve) => thread.once('message', resolve));
  const start = process.cpuUsage();
  const result = await answerOf(bytes).catch((error) => `refused: ${error.message}`);
  const { user, system } = process.cpuUsage(start);
  await thread.terminate();
  process.send({ result: result.slice(0, 300), seconds: (user + system) / 1e6 });
});
process.send('ready');
