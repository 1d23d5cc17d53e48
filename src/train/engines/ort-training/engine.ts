import type { Tensor } from 'onnxruntime-common';
import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Model } from '../../../../graphs/models/model.ts';
import type { Rows } from '../../../data/dataset/rows.ts';
import { oneLine, UserError } from '../../../errors.ts';
import { turns } from '../../../run/turns.ts';
import { mapValues } from '../../../util/map-values.ts';
import { type Steps, shuffledEpoch, stepsOf } from '../batches.ts';
import type { Engine, TrainingTask } from '../engine.ts';
import { optimizerModel, parametersModel, trainingModel } from './artifacts.ts';
import { encodeCheckpoint } from './checkpoint.ts';

/**
 * The part of the package `onnxruntime-training` that is used here. It is onnxruntime-web 1.19.2, the last version with the
 * training API. It has its own WebAssembly and its own Tensor class, beside those of the current ONNX Runtime.
 */
interface TrainingRuntime {
  readonly env: { readonly versions: { readonly common: string }; readonly wasm: object; logLevel: string };
  readonly Tensor: typeof Tensor;
  readonly TrainingSession: {
    create(files: SessionFiles): Promise<TrainingSession>;
  };
  readonly InferenceSession: { create(model: Uint8Array): Promise<{ release(): Promise<void> }> };
}

type SessionFiles = Readonly<
  Record<'checkpointState' | 'trainModel' | 'evalModel' | 'optimizerModel', Uint8Array>
>;

interface TrainingSession {
  runTrainStep(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  runOptimizerStep(): Promise<void>;
  lazyResetGrad(): Promise<void>;
  runEvalStep(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}

export const INSTALL = 'npm install onnxruntime-training@npm:onnxruntime-web@1.19.2';

export const MODULE = 'ort.training.wasm.min.mjs';

/** For all sessions, because they share one WebAssembly instance. */
const inTurn = turns();

/**
 * Trains with ONNX Runtime's training API in WebAssembly, in Node or a page. A step is a call that computes gradients, and
 * one that updates the parameters, with the files of `trainingArtifacts`.
 *
 * @param module URL of `ort.training.wasm.min.mjs`; its `.wasm` and `.mjs` files are in the same folder
 * @throws UserError if it cannot be loaded
 */
export async function ortTrainingEngine(module: string): Promise<Engine> {
  const { env, ...runtime }: TrainingRuntime = await import(
    /* @vite-ignore */ /* webpackIgnore: true */ module
  ).catch((error: Error) => {
    throw new UserError(
      'device',
      `ONNX Runtime's training API cannot be loaded from ${module} (${oneLine(error.message)}); its files come with: ${INSTALL}`,
    );
  });
  env.logLevel = 'error';
  Object.assign(env.wasm, { numThreads: 1 });
  return {
    library: { name: 'onnxruntime-training', version: env.versions.common },
    async prepare(task) {
      const { epochs, batchSize } = task.plan.training;
      const stepsPerEpoch = stepsOf(task.data.facts.ratings, batchSize);
      const options = { ...task, steps: epochs * stepsPerEpoch };
      const graph = trainingModel(options);
      return {
        graph,
        async start({ epochs, carried }) {
          const files = {
            checkpointState: encodeCheckpoint(carried),
            trainModel: graph,
            evalModel: parametersModel(task.model),
            optimizerModel: optimizerModel(options, epochs * stepsPerEpoch),
          };
          const ratings = await task.data.sample(Number.POSITIVE_INFINITY);
          const session = await inTurn(() => createSession(runtime, files));
          return trainingOf(session, runtime.Tensor, task, ratings);
        },
      };
    },
  };
}

function trainingOf(session: TrainingSession, Class: typeof Tensor, task: TrainingTask, ratings: Rows) {
  const take = (steps: Steps) => inTurn(() => takeSteps(session, Class, steps).catch(fail));
  return {
    epoch: (number: number) => shuffledEpoch(ratings, number, task, () => take),
    // Not getContiguousParameters, because it frees memory of the stack, which corrupts the heap. runEvalStep names its
    // results after the outputs of the training model, of which there is one.
    carried: () =>
      inTurn(async () => {
        const [all] = Object.values(await session.runEvalStep({}));
        return parametersIn(all.data as Float32Array, task.model);
      }),
    release: () => inTurn(() => session.release()),
  };
}

async function takeSteps(
  session: TrainingSession,
  Class: typeof Tensor,
  { users, items, ratings, starts }: Steps,
): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step + 1 < starts.length; step++) {
    const [from, to] = [starts[step], starts[step + 1]];
    const rows = (all: Int32Array): Tensor =>
      new Class('int64', BigInt64Array.from(all.subarray(from, to), BigInt));
    const { loss } = await session.runTrainStep({
      user: rows(users),
      item: rows(items),
      actual: new Class('float32', ratings.slice(from, to)),
    });
    await session.runOptimizerStep();
    await session.lazyResetGrad();
    losses.push(Number(loss.data[0]));
  }
  return losses;
}

/** WebAssembly throws a trap, or the address of a C++ exception. */
function fail(error: unknown): never {
  throw new Error(`ONNX Runtime's training API failed in a step (${error}); train with the default engine`);
}

/** The parameters, from a concatenation of all. */
function parametersIn(all: Float32Array, { parameters }: Model): Tensors {
  let from = 0;
  return mapValues(parameters, ({ dims }) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const data = all.slice(from, from + size);
    from += size;
    return { dims, data };
  });
}

/** @throws Error with what is wrong with a file; the training API only throws a number */
async function createSession(
  { TrainingSession, InferenceSession }: Omit<TrainingRuntime, 'env'>,
  files: SessionFiles,
): Promise<TrainingSession> {
  try {
    return await TrainingSession.create(files);
  } catch (error) {
    if (error instanceof Error) throw error;
    const models = { 'training_model.onnx': files.trainModel, 'optimizer_model.onnx': files.optimizerModel };
    for (const [name, bytes] of Object.entries(models)) {
      const session = await InferenceSession.create(bytes).catch(({ message }: Error) => {
        throw new Error(`${name}: ${message}`);
      });
      await session.release();
    }
    throw new Error(`the training API refuses the files (${error})`);
  }
}
