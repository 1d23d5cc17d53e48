import type { Artifact, Manifest } from '../artifact/manifest.ts';
import { UserError } from '../errors.ts';
import { told } from '../util/options.ts';
import type { Own } from './answers.ts';
import { decimal } from './listed.ts';

// A program in JavaScript has no types that would find these mistakes.

/** @throws UserError for anything but a list of strings without NUL characters */
export function checkIds(ids: readonly string[]): void {
  if (!Array.isArray(ids)) throw new UserError('argument', `${told(ids)} is not a list of ids`);
  for (const id of ids) checkId(id);
}

function checkId(id: unknown): void {
  if (typeof id !== 'string')
    throw new UserError(
      'argument',
      typeof id === 'number' ? `${id}: ids are strings; give '${id}'` : `${told(id)}: ids are strings`,
    );
  // ONNX Runtime in Node cuts a string at its first NUL, which would give another id.
  if (id.includes('\0'))
    throw new UserError('argument', `${told(id)}: an id must not contain a NUL character`);
  // It would become U+FFFD, which is another id.
  if (/\p{Surrogate}/u.test(id))
    throw new UserError('argument', `${told(id)}: an id must not contain half of a surrogate pair`);
}

/** @throws UserError for anything but a map from a user's id to a list of ids */
export function checkExcludeByUser(lists: ReadonlyMap<string, readonly string[]>): void {
  // Not instanceof: the map may come from another realm.
  if (typeof lists?.get !== 'function')
    throw new UserError(
      'argument',
      'excludeByUser is not a Map of a list for each user; readExclusions makes one',
    );
  // One key tells: who has numbers for ids has them everywhere.
  const [first] = lists.keys?.() ?? [];
  if (first !== undefined) checkId(first);
}

/**
 * @throws UserError for anything but a list of items and ratings within those of training, or, for a model of interactions, a
 *   list of ids
 */
export function checkOwn(own: Own, { manifest }: Artifact): void {
  const { kind } = manifest.data;
  if (!Array.isArray(own))
    throw new UserError(
      'argument',
      kind === 'ratings'
        ? `the ratings are ${told(own)}; give a list of { item, rating }`
        : `the items are ${told(own)}; give a list of ids`,
    );
  for (const one of own as readonly unknown[])
    if (kind === 'ratings') checkRating(one, manifest);
    else if (typeof one === 'object')
      throw new UserError(
        'argument',
        `${told(one)}: the model was trained on interactions, without ratings; give the ids of items, such as ['296']`,
      );
    else checkId(one);
}

function checkRating(one: unknown, { data: { low, high } }: Manifest): void {
  if (typeof one === 'string')
    throw new UserError(
      'argument',
      `${told(one)}: the model was trained on ratings; give { item: ${told(one)}, rating: ${decimal(high)} }, say`,
    );
  const { item, rating } = (one ?? {}) as { item?: unknown; rating?: unknown };
  if (item === undefined || typeof rating !== 'number')
    throw new UserError('argument', `${told(one)} is no rating; give { item: '296', rating: 5 }, say`);
  checkId(item);
  // Compared as 32-bit floats, because low and high are such.
  if (Math.fround(rating) >= low && Math.fround(rating) <= high) return;
  const [from, to] = [low, high].map(decimal);
  throw new UserError(
    'argument',
    `the rating of ${told(item)} is ${rating}; the model was trained on ratings from ${from} to ${to}`,
  );
}
