import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { type RandomGenerator, shuffled } from '../../../util/random.ts';

/** A stratum: its block of users and its block of items. */
export interface Visit {
  readonly user: number;
  readonly item: number;
}

/**
 * All strata in random order, in rounds of about equal size: up to `most` strata that share neither users nor items, so that
 * they can be trained in parallel. Gemulla, Nijkamp, Haas and Sismanis (2011), "Large-scale matrix factorization with distributed
 * stochastic gradient descent".
 */
export function roundsOf(
  users: number,
  items: number,
  most: number,
  random: RandomGenerator,
): readonly (readonly Visit[])[] {
  const [long, short] = [Math.max(users, items), Math.min(users, items)];
  const [along, across] = [shuffled(long, random), shuffled(short, random)];
  const turns = Math.ceil(long / Math.min(most, short));
  const width = Math.ceil(long / turns);
  const rounds: Visit[][] = [];
  // Strata on a diagonal share neither users nor items.
  for (const diagonal of shuffled(short, random)) {
    const first = uniformInt(random, 0, turns - 1);
    for (let turn = 0; turn < turns; turn++) {
      const from = ((first + turn) % turns) * width;
      const cells = Array.from({ length: Math.min(width, long - from) }, (_, cell) => from + cell);
      rounds.push(
        cells.map((cell) => {
          const [one, other] = [along[cell], across[(cell + diagonal) % short]];
          return users >= items ? { user: one, item: other } : { user: other, item: one };
        }),
      );
    }
  }
  return rounds;
}
