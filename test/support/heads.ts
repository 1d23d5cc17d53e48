import * as node from 'onnxruntime-node';
import { scoreGraph } from '../../graphs/heads/predict.ts';
import { servingParameters, type Tensors, type Vocabulary } from '../../graphs/heads/serving.ts';
import type { Model } from '../../graphs/models/model.ts';
import { buildHeads, type HeadParts } from '../../src/artifact/heads.ts';
import { encodeModel } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';

const runtime = await nodeRuntime();

export const strings = (ids: readonly string[], dims: readonly number[] = [ids.length]) =>
  new node.Tensor('string', ids, dims);

/** Rows of strings, padded with ''. */
export function padded(rows: readonly (readonly string[])[], width?: number) {
  const most = width ?? rows.reduce((most, row) => Math.max(most, row.length), 0);
  const all = rows.flatMap((row) => [...row, ...Array<string>(most - row.length).fill('')]);
  return strings(all, [rows.length, most]);
}

export const floats = (numbers: readonly number[]) =>
  new node.Tensor('float32', Float32Array.from(numbers), [numbers.length]);

export const count = (k: number) => new node.Tensor('int64', BigInt64Array.of(BigInt(k)), [1]);

export interface HeadsOptions extends Pick<HeadParts, 'precision' | 'seen'> {
  /** The root mean square error of predictions. */
  readonly error?: number;
}

/** The files that serve a model, and what they answer. */
export async function headsOf(
  model: Model,
  trained: Tensors,
  vocabulary: Vocabulary,
  { error = 0.8, ...options }: HeadsOptions = {},
) {
  return headsOfParts({ rating: { model, trained, error }, vocabulary, ...options });
}

/** The files that serve one model or two, and what they answer. */
export async function headsOfParts(parts: Omit<HeadParts, 'runtime'>) {
  const files = await buildHeads({ ...parts, runtime });
  const sessions = new Map<string, node.InferenceSession>();
  const run = async (head: string, feeds: Record<string, node.Tensor>) => {
    const known = sessions.get(head);
    const session =
      known ??
      (await node.InferenceSession.create(files[`${head}.onnx`].bytes, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
      }));
    sessions.set(head, session);
    return session.run(feeds);
  };
  return { files, run };
}

/** The rows of a string[n, m] or a float[n, m]. */
export function rowsOf<T>({ data, dims: [rows, width] }: node.Tensor): T[][] {
  const all = Array.from(data as ArrayLike<unknown>) as T[];
  return Array.from({ length: rows }, (_, row) => all.slice(row * width, (row + 1) * width));
}

/** What each user would rate each item, by rows, the average user and the average item last: computed pair by pair. */
export async function allRatings(model: Model, trained: Tensors): Promise<number[][]> {
  const [users, items] = ['user', 'item'].map((kind) => {
    const table = Object.entries(model.parameters).find(([, { rowsOf }]) => rowsOf === kind);
    return (table?.[1].dims[0] ?? 0) + 1;
  });
  const session = await node.InferenceSession.create(encodeModel(scoreGraph({ model })));
  const tables = Object.entries(servingParameters(model, trained)).map(
    ([name, { dims, data }]) => [name, new node.Tensor('float32', data, dims)] as const,
  );
  const pairs = Array.from({ length: users * items }, (_, position) => position);
  const column = (row: (position: number) => number) => new node.Tensor('int32', Int32Array.from(pairs, row));
  const { rating } = await session.run({
    ...Object.fromEntries(tables),
    user: column((position) => Math.floor(position / items)),
    item: column((position) => position % items),
  });
  await session.release();
  const all = Array.from(rating.data as Float32Array);
  return Array.from({ length: users }, (_, user) => all.slice(user * items, (user + 1) * items));
}

/** The `k` best of some scores by row, without those left out: the highest first, of equal ones the first row. */
export function best(scores: readonly number[], out: ReadonlySet<number>, k: number): [number, number][] {
  return scores
    .map((score, row): [number, number] => [row, score])
    .filter(([row]) => !out.has(row))
    .sort(([row, score], [other, higher]) => higher - score || row - other)
    .slice(0, k);
}

export type Sessions = Awaited<ReturnType<typeof headsOfParts>>;
