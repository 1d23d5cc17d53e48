// Trains dot-bias with TensorFlow.js, in a worker, by the recipe that the page sends. One message in, one out. What
// bundles it brings a backend along: see `bundles.ts`.
import * as tf from '@tensorflow/tfjs-core';
import { lookups, Training } from './tfjs-training.mjs';

/** An epoch that would take longer is measured by a part of it. */
const LONGEST_EPOCH = 60;
const WARM_UP_STEPS = 5;
const TRIAL_STEPS = 10;

addEventListener('message', ({ data }) => {
  train(data).then(
    (done) => postMessage({ done }),
    (error) => postMessage({ failed: error.message }),
  );
});

async function train({ backend, lookup, recipe, split }) {
  if (!(await tf.setBackend(backend))) throw new Error(`this browser has no ${backend}`);
  await tf.ready();
  const steps = recipe.starts.length - 1;
  const options = { ...split.train, lookup: lookups[lookup], ...recipe };
  // Kernels and shaders are compiled when they first run, which is no part of an epoch.
  let trial;
  const { kernelNames } = await tf.profile(async () => {
    trial = new Training(options);
    trial.run(0, 0, WARM_UP_STEPS);
    await trial.rmse(split.valid);
    return trial.sumOfLosses();
  });
  const expected = (await trial.seconds(0, WARM_UP_STEPS, WARM_UP_STEPS + TRIAL_STEPS)) / TRIAL_STEPS;
  trial.dispose();

  const whole = expected * steps <= LONGEST_EPOCH;
  const taken = whole ? steps : Math.max(TRIAL_STEPS, Math.floor(LONGEST_EPOCH / expected));
  const training = new Training(options);
  const epochs = [];
  for (let epoch = 0; epoch < (whole ? recipe.epochs : 1); epoch++)
    epochs.push((await training.seconds(epoch, 0, taken)) * (steps / taken));
  const rmse = whole ? await training.rmse(split.valid) : undefined;
  training.dispose();
  return { version: tf.version_core, kernels: kernelNames, epochs, part: taken / steps, rmse };
}
