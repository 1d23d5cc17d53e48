import { unknownIds } from '../artifact/vocabulary.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { plural, printNote } from './output.ts';

/** What becomes of unknown users in recommendations. */
export const fateOfUsers = ({ objective }: Recommender): string =>
  objective === 'rating' ? 'treated as average' : 'recommended what is popular';

/** Prints a note about ids that a model does not know. @param fate what happened to them */
export function noteUnknown(
  noun: string,
  ids: readonly string[],
  known: readonly string[],
  fate = 'treated as average',
): void {
  const unknown = unknownIds(ids, known);
  if (unknown.length === 0) return;
  const some = unknown.slice(0, 3).map((id) => JSON.stringify(id));
  const list = unknown.length > 3 ? `${some.join(', ')}, …` : some.join(', ');
  printNote(`${plural(unknown.length, noun)} unknown to the model, ${fate}: ${list}`);
}
