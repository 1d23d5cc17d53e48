import { Tensor } from 'onnxruntime-common';

/** The content of a tensor, without its class. */
export interface Parts {
  readonly type: Tensor.Type;
  readonly dims: readonly number[];
  readonly data: Tensor.DataType;
}

export const tensorOf = ({ type, data, dims }: Parts): Tensor =>
  new Tensor(type as 'string', data as string[], dims);

/** The rows of a tensor from `from` to before `to`. */
export function sliceRows({ type, dims: [rows, ...rest], data }: Parts, from: number, to: number): Parts {
  const size = rest.reduce((product, dim) => product * dim, 1);
  const end = Math.min(rows, to);
  return { type, dims: [end - from, ...rest], data: data.slice(from * size, end * size) };
}

/** Concatenates tensors along the first axis. Lists of strings, string[n, m], are padded with '' to the largest `m`. */
export function joinRows(tensors: readonly Parts[]): Parts {
  const [{ type, dims }] = tensors;
  const width = Math.max(...tensors.map((tensor) => tensor.dims[1] ?? 0));
  const all =
    type === 'string' && dims.length === 2 ? tensors.map((tensor) => widened(tensor, width)) : tensors;
  const rows = all.reduce((sum, tensor) => sum + tensor.dims[0], 0);
  return { type, dims: [rows, ...all[0].dims.slice(1)], data: joined(all.map(({ data }) => data)) };
}

/** A string[n, m] padded with '' to a larger `m`. */
function widened(lists: Parts, wanted: number): Parts {
  const { type, dims, data } = lists;
  const [rows, width] = dims;
  if (width === wanted) return lists;
  const padding = Array<string>(wanted - width).fill('');
  const cells = Array.from({ length: rows }, (_, row) => [
    ...(data as string[]).slice(row * width, (row + 1) * width),
    ...padding,
  ]);
  return { type, dims: [rows, wanted], data: cells.flat() };
}

function joined(all: readonly Parts['data'][]): Parts['data'] {
  if (Array.isArray(all[0])) return (all as string[][]).flat();
  const arrays = all as Float32Array[];
  const whole = new (arrays[0].constructor as Float32ArrayConstructor)(
    arrays.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
