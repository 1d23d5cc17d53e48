/** What it takes to come to the same error. */
import { type Contender, measure, nameOf, type Row, type Run, summarize } from './measure.ts';
import { cofactor, type Peer, peers } from './peers.ts';
import type { DataSet } from './sets.ts';

/** On MovieLens 100K: about the least that LIBMF comes to, and cofactor's way there. */
const ML_100K = {
  rmse: 0.9205,
  flags: '--optimizer row-adagrad --batch 4096 --spread 0.01 --epochs 4 --learning-rate 0.12',
};
const MOST_SWEEPS = 15;
const MOST_EPOCHS = 10;

/** Where it did not come to the error it is the nearest. */
type Attempt = Row & { readonly reached: boolean };

export interface SameError {
  readonly set: string;
  readonly rmse: number;
  readonly attempts: readonly Attempt[];
}

/**
 * On MovieLens 100K LIBMF's fewest sweeps to a fixed error; on ten million ratings the others' fewest epochs to LIBMF's.
 *
 * @param rows what was measured on the set
 * @param names of the peers that take part
 * @param fail told why something could not run
 */
export async function sameError(
  set: DataSet,
  rows: readonly Row[],
  names: readonly Peer[],
  { scratch, seeds }: { scratch: string; seeds: readonly number[] },
  fail: (what: string, error: Error) => void,
): Promise<SameError | undefined> {
  const attempts: Attempt[] = [];
  const attempt = async (name: Peer, rmse: number, most: number, contenders: ContendersOf): Promise<void> => {
    if (!names.includes(name)) return;
    const run = (contender: Contender, seed: number): Promise<Run> => measure(contender, seed, scratch);
    try {
      attempts.push(...(await fewest(rmse, most, contenders, seeds, run)));
    } catch (error) {
      fail(`${name} to the same error`, error as Error);
    }
  };
  const peer = (name: Peer) => (epochs: number) => peers[name](set, scratch, epochs);

  if (set.name === 'ml-100k') {
    const { rmse, flags } = ML_100K;
    await attempt('cofactor', rmse, 1, async () => [cofactor('cofactor', set, scratch, flags)]);
    for (const name of ['libmf', 'libmf-avx'] as const) await attempt(name, rmse, MOST_SWEEPS, peer(name));
    return { set: set.name, rmse, attempts };
  }
  const libmf = rows.filter(({ label }) => label.startsWith('libmf'));
  if (set.name !== '10m' || libmf.length === 0) return;
  const rmse = Math.min(...libmf.map(({ rmse }) => rmse as number));
  for (const name of ['cofactor', 'torch'] as const) await attempt(name, rmse, MOST_EPOCHS, peer(name));
  return { set: set.name, rmse, attempts: [...attempts, ...libmf.map((row) => ({ ...row, reached: true }))] };
}

type ContendersOf = (epochs: number) => Promise<Contender[]>;

/** For each contender the first row that comes to the error, or else the nearest. */
async function fewest(
  target: number,
  most: number,
  contenders: ContendersOf,
  seeds: readonly number[],
  run: (contender: Contender, seed: number) => Promise<Run>,
): Promise<Attempt[]> {
  const nearest = new Map<string, Attempt>();
  for (let epochs = 1; epochs <= most; epochs++)
    for (const contender of await contenders(epochs)) {
      const name = nameOf(contender);
      const best = nearest.get(name);
      if (best?.reached) continue;
      const runs: Run[] = [];
      for (const seed of seeds) runs.push(await run(contender, seed));
      const row = summarize(runs);
      const rmse = row.rmse as number;
      console.error(`${name}, ${row.epochs} epochs: ${rmse.toFixed(4)} for ${target.toFixed(4)}`);
      if (!best || rmse < (best.rmse as number)) nearest.set(name, { ...row, reached: rmse <= target });
    }
  return [...nearest.values()];
}
