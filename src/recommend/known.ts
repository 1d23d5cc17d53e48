import type { Artifact } from '../artifact/manifest.ts';
import { readUserIds } from '../artifact/vocabulary.ts';
import { checkIds } from './checks.ts';
import type { Recommender } from './recommender.ts';

// Not a method of Recommender, because a page, which has no files about users, would load what reads ONNX files.

const known = new WeakMap<Artifact, ReadonlySet<string>>();

/**
 * Whether a model knows a user, or which of several it knows. An unknown user gets what is popular, or, from a model that was
 * trained to predict ratings alone, what the average of all users would like.
 *
 * @throws UserError if no file with the ids of users is loaded, or an id is not a string or has a NUL character
 */
export function isKnown(recommender: Recommender, users: readonly string[]): boolean[];
export function isKnown(recommender: Recommender, user: string): boolean;
export function isKnown(recommender: Recommender, users: string | readonly string[]): boolean | boolean[] {
  if (!Array.isArray(users)) return isKnown(recommender, [users as string])[0];
  checkIds(users);
  const { artifact } = recommender;
  const ids = known.get(artifact) ?? new Set(readUserIds(artifact));
  known.set(artifact, ids);
  return users.map((id) => ids.has(id));
}
