// Dot-bias in TensorFlow.js, on whatever backend is chosen.
import * as tf from '@tensorflow/tfjs-core';

/** Rows of a table, with a gradient for the table. */
export const lookups = {
  gather: (table, rows) => tf.gather(table, rows),
  // Adds the gradient's rows up by scatterND, where the backend cannot do what gather's own gradient needs.
  scatter: tf.customGrad((table, rows, save) => {
    save([rows]);
    return {
      value: tf.gather(table, rows),
      gradFunc: (gradient, [saved]) => [
        tf.scatterND(tf.expandDims(saved, 1), gradient, table.shape),
        tf.zerosLike(saved),
      ],
    };
  }),
};

export class Training {
  constructor({ parameters, beta2, epsilon, ...options }) {
    Object.assign(this, options);
    this.variables = Object.fromEntries(
      Object.entries(parameters).map(([name, { dims, initial }]) => [
        name,
        tf.tidy(() => tf.variable(tf.randomNormal(dims, initial.center ?? 0, initial.normal))),
      ]),
    );
    this.optimizer = tf.train.adam(this.schedule[0].learningRate, this.schedule[0].momentum, beta2, epsilon);
    this.sum = tf.variable(tf.scalar(0), false);
  }

  /** The formula of graphs/dot-bias.ts. */
  predicted({ user_factors, item_factors, user_bias, item_bias }, users, items, rowsOf) {
    const products = tf.mul(rowsOf(user_factors, users), rowsOf(item_factors, items));
    const biases = tf.add(rowsOf(user_bias, users), rowsOf(item_bias, items));
    const [low, high] = this.range;
    return tf.add(tf.mul(tf.sigmoid(tf.add(tf.sum(products, 1), biases)), high - low), low);
  }

  /** Steps of an epoch. Nothing is read back. */
  run(epoch, first, last) {
    const order = Int32Array.from(tf.util.createShuffledIndices(this.ratings.length));
    const epochSteps = this.starts.length - 1;
    for (let step = first; step < last; step++)
      this.step(
        order.subarray(this.starts[step], this.starts[step + 1]),
        this.schedule[epoch * epochSteps + step],
      );
  }

  step(places, { learningRate, momentum }) {
    const { optimizer, variables } = this;
    optimizer.learningRate = learningRate;
    optimizer.beta1 = momentum;
    tf.tidy(() => {
      const users = tf.tensor1d(
        places.map((place) => this.users[place]),
        'int32',
      );
      const items = tf.tensor1d(
        places.map((place) => this.items[place]),
        'int32',
      );
      const actual = tf.tensor1d(Float32Array.from(places, (place) => this.ratings[place]));
      const { value, grads } = optimizer.computeGradients(
        () => tf.mean(tf.squaredDifference(actual, this.predicted(variables, users, items, this.lookup))),
        Object.values(variables),
      );
      // AdamW: weights decay beside the step, and not through the gradient.
      const keep = 1 - learningRate * this.weightDecay;
      for (const variable of Object.values(variables)) variable.assign(tf.mul(variable, keep));
      optimizer.applyGradients(grads);
      this.sum.assign(tf.add(this.sum, tf.mul(value, places.length)));
    });
  }

  /** Since the last call. It is there when all that was begun is done. */
  async sumOfLosses() {
    const [sum] = await this.sum.data();
    this.sum.assign(tf.scalar(0));
    return sum;
  }

  /** What steps of an epoch take. */
  async seconds(epoch, first, last) {
    const begun = performance.now();
    this.run(epoch, first, last);
    await this.sumOfLosses();
    return (performance.now() - begun) / 1000;
  }

  /** Of held-out ratings. Whoever was never seen in training counts as the average, as with cofactor. */
  async rmse({ users, items, ratings }) {
    const error = tf.tidy(() => {
      const tables = Object.fromEntries(
        Object.entries(this.variables).map(([name, table]) => [
          name,
          tf.concat([table, tf.mean(table, 0, true)]),
        ]),
      );
      const predicted = this.predicted(
        tables,
        tf.tensor1d(users, 'int32'),
        tf.tensor1d(items, 'int32'),
        lookups.gather,
      );
      return tf.sqrt(tf.mean(tf.squaredDifference(tf.tensor1d(ratings), predicted)));
    });
    const [rmse] = await error.data();
    error.dispose();
    return rmse;
  }

  dispose() {
    this.optimizer.dispose();
    tf.dispose([this.variables, this.sum]);
  }
}
