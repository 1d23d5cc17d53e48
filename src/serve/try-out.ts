import { type InferenceSession, Tensor } from 'onnxruntime-common';
import type { Recommender } from '../recommend/recommender.ts';
import { LIMITS } from './limits.ts';

/** Runs each head once, because a file may load without an error and still fail to run. */
export async function tryOut(recommender: Recommender, user: string, item: string): Promise<void> {
  const heads = new Set(recommender.heads);
  if (recommender.objective === 'ranking') await recommender.score(user, item);
  else await recommender.predict(user, item);
  if (heads.has('recommend')) await recommender.recommend(user, { k: 1 });
  if (heads.has('similar')) await recommender.similar(item, { k: 1 });
  if (heads.has('factors')) await recommender.factors(item);
  const { kind, mean } = recommender.artifact.manifest.data;
  const own = kind === 'ratings' ? [{ item, rating: mean }] : [item];
  if (heads.has('fold-in')) await recommender.foldIn(own, { k: 1 });
  if (heads.has('fold-in-many')) await recommender.foldIn([own], { k: 1 });
}

/**
 * Runs each head with the most that a request may ask of one run: rows, items in a list, and ids to leave out. What a hostile model
 * takes may depend on them in any way.
 */
export async function runLargest(
  recommender: Recommender,
  sessions: ReadonlyMap<string, InferenceSession>,
): Promise<void> {
  for (const [head, session] of sessions) {
    const most = head.startsWith('fold-in') ? LIMITS.ratings : LONGEST_LIST;
    const rows = Math.min(most, recommender.rowsPerRun(head));
    // A run has either many rows or long lists: see `texts`.
    const k = Math.max(1, Math.floor(LIMITS.texts / rows));
    await runWith(session, { n: rows, m: 1 }, Math.min(LIMITS.k, k));
    await runWith(session, { n: Math.min(rows, Math.ceil(LIMITS.texts / LIMITS.k)), m: 1 }, LIMITS.k);
    await runWith(session, { n: 1, m: most }, LIMITS.k);
  }
}

/** Ids in a body of the largest size. */
const LONGEST_LIST = LIMITS.body / 4;

/** Runs a head with no rows, of which some operators of ONNX Runtime end the process. */
export const runEmpty = (session: InferenceSession): Promise<void> => runWith(session, { n: 0, m: 0 }, 1);

/** @param sizes of the axes that have a name */
async function runWith(
  session: InferenceSession,
  sizes: Readonly<Record<string, number>>,
  k: number,
): Promise<void> {
  const feeds = session.inputMetadata.map((input) => {
    if (!input.isTensor) throw new Error(`the input ${input.name} is not a tensor`);
    const dims = input.shape.map((dim) => (typeof dim === 'number' ? dim : (sizes[dim] ?? 0)));
    return [input.name, filled(input.type, dims, k)] as const;
  });
  await session.run(Object.fromEntries(feeds));
}

function filled(type: Tensor.Type, dims: readonly number[], k: number): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (type === 'string') return new Tensor(type, Array<string>(size).fill(''), dims);
  if (type === 'int64') return new Tensor(type, new BigInt64Array(size).fill(BigInt(k)), dims);
  if (type === 'float32') return new Tensor(type, new Float32Array(size), dims);
  throw new Error(`no head has an input of the type ${type}`);
}
