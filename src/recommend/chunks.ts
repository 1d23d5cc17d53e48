import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { joinRows, sliceRows, tensorOf } from '../run/rows.ts';
import type { Stop } from '../run/runtime.ts';
import { mapValues } from '../util/map-values.ts';

export type Feeds = Readonly<Record<string, Tensor>>;

/** Cuts what a session takes into chunks along the axis `n`. The result of a row depends on that row alone. */
export function* chunksOf({ inputMetadata }: InferenceSession, feeds: Feeds, rows: number): Generator<Feeds> {
  const parted = inputMetadata.filter((input) => input.isTensor && input.shape[0] === 'n');
  const total = Math.max(0, ...parted.map(({ name }) => feeds[name]?.dims[0] ?? 0));
  if (total <= rows) {
    yield feeds;
    return;
  }
  for (let from = 0; from < total; from += rows) {
    const cut = parted.map(({ name }) => [name, tensorOf(sliceRows(feeds[name], from, from + rows))]);
    yield { ...feeds, ...Object.fromEntries(cut) };
  }
}

/**
 * Runs a session chunk by chunk, which bounds the memory of a long request. The `m` of a string[n, m] may differ between
 * chunks; its rows are padded with ''.
 *
 * @param signal no further chunk runs when it aborts
 */
export async function runInChunks(
  session: InferenceSession,
  feeds: Feeds,
  rows: number,
  signal?: Stop,
): Promise<Record<string, Tensor>> {
  const chunks: Record<string, Tensor>[] = [];
  for (const chunk of chunksOf(session, feeds, rows)) {
    signal?.throwIfAborted();
    // A runtime without a queue ignores the signal.
    chunks.push(await session.run(chunk, { signal } as object));
  }
  if (chunks.length === 1) return chunks[0];
  return mapValues(chunks[0], (_, name) => tensorOf(joinRows(chunks.map((chunk) => chunk[name]))));
}
