import { type InferenceSession, Tensor } from 'onnxruntime-common';

/**
 * Runs a session piece by piece along the axis called `n`, so that a long request does not ask for all its memory at
 * once. Each row's result depends on that row alone. Other named axes, such as the `m` of a padded string[n, m], may
 * differ from piece to piece; results are padded with ''.
 */
export async function runInPieces(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  rows: number,
): Promise<Record<string, Tensor>> {
  const parted = session.inputMetadata.filter((input) => input.isTensor && input.shape[0] === 'n');
  const total = Math.max(0, ...parted.map(({ name }) => feeds[name]?.dims[0] ?? 0));
  if (total <= rows) return session.run(feeds);
  const pieces: Record<string, Tensor>[] = [];
  for (let from = 0; from < total; from += rows) {
    const cut = parted.map(({ name }) => [name, part(feeds[name], from, from + rows)]);
    pieces.push(await session.run({ ...feeds, ...Object.fromEntries(cut) }));
  }
  return Object.fromEntries(
    Object.keys(pieces[0]).map((name) => [name, joined(pieces.map((piece) => piece[name]))]),
  );
}

/** Rows `from` to `to`. */
function part(tensor: Tensor, from: number, to: number): Tensor {
  const [rows, ...rest] = tensor.dims;
  const width = rest.reduce((product, dim) => product * dim, 1);
  const end = Math.min(rows, to);
  const data = (tensor.data as Float32Array).slice(from * width, end * width);
  return new Tensor(tensor.type as 'float32', data, [end - from, ...rest]);
}

function joined(tensors: readonly Tensor[]): Tensor {
  const [{ type, dims, data }] = tensors;
  const rows = tensors.reduce((sum, tensor) => sum + tensor.dims[0], 0);
  if (type === 'string') {
    const width = dims.length > 1 ? Math.max(...tensors.map((tensor) => tensor.dims[1])) : 1;
    const all = tensors.flatMap((tensor) => widened(tensor, width));
    return new Tensor('string', all, dims.length > 1 ? [rows, width] : [rows]);
  }
  const size = tensors.reduce((sum, tensor) => sum + tensor.data.length, 0);
  const all = new (data.constructor as Float32ArrayConstructor)(size);
  let at = 0;
  for (const tensor of tensors) {
    all.set(tensor.data as Float32Array, at);
    at += tensor.data.length;
  }
  return new Tensor(type as 'float32', all, [rows, ...dims.slice(1)]);
}

/** Rows of strings, each padded with '' to `width`. */
function widened({ data, dims: [rows, own = 1] }: Tensor, width: number): string[] {
  if (own === width) return data as string[];
  return Array.from({ length: rows }, (_, row) => [
    ...(data as string[]).slice(row * own, (row + 1) * own),
    ...Array<string>(width - own).fill(''),
  ]).flat();
}
