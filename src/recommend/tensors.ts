import { Tensor } from 'onnxruntime-common';

/** string[n] */
export const strings = (ids: readonly string[], dims = [ids.length]): Tensor =>
  new Tensor('string', ids, dims);

/** string[n, m], padded with ''. */
export function padded(lists: readonly (readonly string[])[]): Tensor {
  const width = lists.reduce((most, list) => Math.max(most, list.length), 0);
  const rows = lists.map((list) => [...list, ...Array<string>(width - list.length).fill('')]);
  return strings(rows.flat(), [lists.length, width]);
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
