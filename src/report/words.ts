import type { Artifact, Manifest } from '../artifact/manifest.ts';
import { plural } from '../util/format.ts';
import { list } from '../util/text.ts';

/** What a report says of a model of ratings, or of interactions. */
interface Words {
  /** What a user did with the items of their rows. */
  readonly did: string;
  /** The number of ratings of an item, or of its users, as the name of a column. */
  readonly knownBy: string;
  /** Which items there are, after `items`. */
  atLeast(least: number): string;
  readonly best: string;
  readonly popular: string;
}

export const WORDS: Readonly<Record<Manifest['data']['kind'], Words>> = {
  ratings: {
    did: 'rated',
    knownBy: 'Ratings',
    atLeast: (least) => `with at least ${plural(least, 'rating')}`,
    best: 'Best and worst items',
    popular: 'the most rated items',
  },
  interactions: {
    did: 'had',
    knownBy: 'Users',
    atLeast: (least) => `that at least ${plural(least, 'user')} ${least === 1 ? 'has' : 'have'}`,
    best: 'Most and least popular items',
    popular: 'the items that the most users have',
  },
};

/**
 * Which items recommendations leave out, after `items`.
 *
 * @param seen what is stored as left out, by user
 */
export function leftOut({ manifest }: Artifact, seen: readonly Int32Array[]): string {
  const { kind, ratings, reading } = manifest.data;
  const { leaveOut } = reading ?? {};
  const stored = seen.reduce((sum, items) => sum + items.length, 0);
  if (kind === 'ratings' || (!leaveOut && stored >= ratings))
    return `that the user ${WORDS[kind].did} in training`;
  return `that recommendations leave out${leaveOut ? `: what the user has by ${list([...leaveOut])}` : ', which are some of what users have'}`;
}
