import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { joinRows, sliceRows, tensorOf } from '../run/rows.ts';
import { mapValues } from '../util/map-values.ts';

/**
 * Runs a session piece by piece along the axis called `n`, so that a long request does not ask for all its memory at
 * once. Each row's result depends on that row alone. The `m` of a string[n, m] may differ from piece to piece: its rows
 * are padded with ''.
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
    const cut = parted.map(({ name }) => [name, tensorOf(sliceRows(feeds[name], from, from + rows))]);
    pieces.push(await session.run({ ...feeds, ...Object.fromEntries(cut) }));
  }
  return mapValues(pieces[0], (_, name) => tensorOf(joinRows(pieces.map((piece) => piece[name]))));
}
