import { type InferenceSession, Tensor } from 'onnxruntime-common';
import type { Artifact } from '../artifact/artifact.ts';
import { UserError } from '../errors.ts';
import type { Runtime } from '../run/runtime.ts';

/** Pairs in one run, so that many do not ask for all their memory at once. */
const PAIRS_A_RUN = 8192;

/** Answers questions with an artifact's files, on any runtime. */
export class Recommender {
  private constructor(
    readonly artifact: Artifact,
    private readonly session: InferenceSession,
  ) {}

  /** @throws UserError if the runtime refuses the file. */
  static async create(artifact: Artifact, runtime: Runtime): Promise<Recommender> {
    const bytes = artifact.files['predict.onnx'];
    if (!bytes) throw new UserError('manifest.json lists no predict.onnx; train the model again');
    const session = await runtime.createSession(bytes).catch((error: Error) => {
      const [reason] = error.message.split('\n');
      throw new UserError(`predict.onnx: ${runtime.name} refuses it: ${reason}; train the model again`);
    });
    return new Recommender(artifact, session);
  }

  /**
   * Predicted ratings, one for each pair of ids. An id that the model has never seen counts as the average.
   *
   * @param users user ids, [n]
   * @param items item ids, [n]
   * @throws UserError for lists of unlike length, or an id with a NUL character
   */
  async predict(users: readonly string[], items: readonly string[]): Promise<Float32Array> {
    if (users.length !== items.length) {
      throw new UserError(
        `${users.length} users but ${items.length} items: predict takes as many of one as of the other`,
      );
    }
    const other = [...users, ...items].find((id) => typeof id !== 'string');
    if (other !== undefined) throw new UserError(`${other}: ids are strings; give '${other}'`);
    // ONNX Runtime in Node ends a string at its first NUL, and would take the id for another.
    const cut = [...users, ...items].find((id) => id.includes('\0'));
    if (cut !== undefined) throw new UserError(`${JSON.stringify(cut)}: an id may not hold a NUL character`);
    const ratings = new Float32Array(users.length);
    for (let from = 0; from < users.length; from += PAIRS_A_RUN) {
      const user = new Tensor('string', users.slice(from, from + PAIRS_A_RUN));
      const item = new Tensor('string', items.slice(from, from + PAIRS_A_RUN));
      const { rating } = await this.session.run({ user, item });
      ratings.set(rating.data as Float32Array, from);
    }
    return ratings;
  }
}
