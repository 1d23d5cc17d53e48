import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { joinRows, sliceRows, tensorOf } from '../run/rows.ts';
import { mapValues } from '../util/map-values.ts';

/**
 * Runs a session chunk by chunk along the axis `n`, which bounds the memory of a long request. The result of a row depends
 * on that row alone. The `m` of a string[n, m] may differ between chunks; its rows are padded with ''.
 */
export async function runInChunks(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  rows: number,
): Promise<Record<string, Tensor>> {
  const parted = session.inputMetadata.filter((input) => input.isTensor && input.shape[0] === 'n');
  const total = Math.max(0, ...parted.map(({ name }) => feeds[name]?.dims[0] ?? 0));
  if (total <= rows) return session.run(feeds);
  const chunks: Record<string, Tensor>[] = [];
  for (let from = 0; from < total; from += rows) {
    const cut = parted.map(({ name }) => [name, tensorOf(sliceRows(feeds[name], from, from + rows))]);
    chunks.push(await session.run({ ...feeds, ...Object.fromEntries(cut) }));
  }
  return mapValues(chunks[0], (_, name) => tensorOf(joinRows(chunks.map((chunk) => chunk[name]))));
}
