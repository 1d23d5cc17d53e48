// Trains dot-bias with TensorFlow.js in Node, by the recipe of the other peers: node tfjs-node.mjs TRAIN TEST --seed=SEED.
const begun = performance.now();
// For the gradients: in Node they come with the whole package alone.
await import('@tensorflow/tfjs');
await import('@tensorflow/tfjs-backend-wasm');
const tf = await import('@tensorflow/tfjs-core');
const { lookups, Training } = await import('./tfjs-training.mjs');
const { readFileSync } = await import('node:fs');
const { xoroshiro128plus } = await import('pure-rand/generator/xoroshiro128plus');

const [EPOCHS, BATCH, LEARNING_RATE, FACTORS] = [5, 64, 5e-3, 50];
const seconds = {};
let last = begun;
const lap = (stage) => {
  const now = performance.now();
  seconds[stage] = (now - last) / 1000;
  last = now;
};
lap('import');

const [trainFile, testFile, seedFlag] = process.argv.slice(2);
const seed = Number(seedFlag.split('=')[1]);
const train = read(trainFile);
const test = read(testFile);
const places = [new Map(), new Map()];
const rows = (column, ids) =>
  Int32Array.from(ids, (id) => {
    if (!places[column].has(id)) places[column].set(id, places[column].size);
    return places[column].get(id);
  });
const [trainUsers, trainItems] = [0, 1].map((column) => rows(column, train[column]));
const [users, items] = places.map(({ size }) => size);
// Whoever was never seen in training counts as the average, which comes after the last row.
const known = (column, ids) => Int32Array.from(ids, (id) => places[column].get(id) ?? places[column].size);
const held = { users: known(0, test[0]), items: known(1, test[1]), ratings: Float32Array.from(test[2]) };
lap('read');

await tf.setBackend('wasm');
const steps = Math.ceil(trainUsers.length / BATCH);
// TensorFlow.js draws its seeds and its shuffles from here.
const random = xoroshiro128plus(seed);
Math.random = () => (random.next() >>> 0) / 2 ** 32;
const table = (...dims) => ({ dims, initial: { normal: 0.01 } });
const training = new Training({
  users: trainUsers,
  items: trainItems,
  ratings: Float32Array.from(train[2]),
  // WebAssembly has no kernel for the gradient of gather.
  lookup: lookups.scatter,
  parameters: {
    user_factors: table(users, FACTORS),
    item_factors: table(items, FACTORS),
    user_bias: table(users),
    item_bias: table(items),
  },
  range: [0, 5.5],
  beta2: 0.99,
  epsilon: 1e-5,
  weightDecay: 0.1,
  starts: Array.from({ length: steps + 1 }, (_, step) => Math.min(step * BATCH, trainUsers.length)),
  schedule: Array.from({ length: EPOCHS * steps }, (_, step) => oneCycle(step / (EPOCHS * steps))),
});
lap('build');

for (let epoch = 0; epoch < EPOCHS; epoch++) training.run(epoch, 0, steps);
await training.sumOfLosses();
lap('train');
const rmse = await training.rmse(held);
console.log(JSON.stringify({ version: tf.version_core, seconds, rmse, seed, threads: 1, epochs: EPOCHS }));

/** Three columns of numbers: CSV with a header, or tab-separated text without. */
function read(file) {
  const isCsv = file.endsWith('.csv');
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(isCsv ? 1 : 0);
  const cells = lines.map((line) => line.split(isCsv ? ',' : '\t'));
  return [0, 1, 2].map((column) => cells.map((line) => Number(line[column])));
}

/** fastai's: up over a quarter of the steps, then down; momentum the other way. */
function oneCycle(done) {
  const between = (from, to, part) => from + ((to - from) * (1 - Math.cos(Math.PI * part))) / 2;
  const [low, high, end] = [LEARNING_RATE / 25, LEARNING_RATE, LEARNING_RATE / 1e5];
  return done < 0.25
    ? { learningRate: between(low, high, done / 0.25), momentum: between(0.95, 0.85, done / 0.25) }
    : {
        learningRate: between(high, end, (done - 0.25) / 0.75),
        momentum: between(0.85, 0.95, (done - 0.25) / 0.75),
      };
}
