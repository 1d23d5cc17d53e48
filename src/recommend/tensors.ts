import { Tensor } from 'onnxruntime-common';
import type { Recommended } from './answers.ts';

/** string[n] */
export const strings = (ids: readonly string[], dims = [ids.length]): Tensor =>
  new Tensor('string', ids, dims);

/** string[n, m], padded with ''. */
export function padded(lists: readonly (readonly string[])[]): Tensor {
  const width = lists.reduce((most, list) => Math.max(most, list.length), 0);
  const rows = lists.map((list) => [...list, ...Array<string>(width - list.length).fill('')]);
  return strings(rows.flat(), [lists.length, width]);
}

/** float[n, m], padded with 0. */
export function paddedNumbers(lists: readonly (readonly number[])[]): Tensor {
  const width = lists.reduce((most, list) => Math.max(most, list.length), 0);
  const data = new Float32Array(lists.length * width);
  for (const [row, list] of lists.entries()) data.set(list, row * width);
  return new Tensor('float32', data, [lists.length, width]);
}

/** int64[1] */
export const count = (k: number): Tensor => new Tensor('int64', BigInt64Array.of(BigInt(k)), [1]);

/** Rows of a string[n, m] without their padding. */
export function rowsOf({ data, dims: [rows, width] }: Tensor): string[][] {
  return Array.from({ length: rows }, (_, row) =>
    (data as string[]).slice(row * width, (row + 1) * width).filter((id) => id !== ''),
  );
}

/** Items and numbers of each row of a string[n, k] and a float[n, k], or of one row [k], without their padding. */
export function listsOf<Name extends string>(name: Name, ids: Tensor, numbers: Tensor) {
  const [rows, width] = ids.dims.length === 1 ? [1, ids.dims[0]] : ids.dims;
  const all = (ids.data as string[]).map(
    (item, at) => ({ item, [name]: numbers.data[at] }) as { item: string } & Record<Name, number>,
  );
  return Array.from({ length: rows }, (_, row) =>
    all.slice(row * width, (row + 1) * width).filter(({ item }) => item !== ''),
  );
}

/** A row of a float[n, …]. */
export function rowOf({ data, dims: [rows] }: Tensor, row: number): Float32Array {
  const width = data.length / rows;
  return (data as Float32Array).slice(row * width, (row + 1) * width);
}

/** The lists in the answer of a head. Models of older formats have no scores; there they are the ratings. */
export function recommendedOf(answer: Readonly<Record<string, Tensor | undefined>>): Recommended[][] {
  const { item, score, rating } = answer as { item: Tensor; score?: Tensor; rating?: Tensor };
  const [rows, width] = item.dims.length === 1 ? [1, item.dims[0]] : item.dims;
  const [scores, ratings] = [score ?? rating, rating].map((one) => one?.data as Float32Array | undefined);
  const all = (item.data as string[]).map((item, at) => ({
    item,
    score: scores?.[at] as number,
    ...(ratings && { rating: ratings[at] }),
  }));
  return Array.from({ length: rows }, (_, row) =>
    all.slice(row * width, (row + 1) * width).filter(({ item }) => item !== ''),
  );
}
