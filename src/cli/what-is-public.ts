import { isSolved } from '../../graphs/models/index.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { itemsOf } from '../recommend/tables.ts';
import { plural } from './output.ts';

/** With fewer people, what they share is no longer a matter of many. */
const FEW = 3;

/** What the public files of a model tell about people, in words. */
export function whatIsPublic(artifact: Artifact): string {
  const { model, data } = artifact.manifest;
  const isRare = ({ count }: { readonly count: number }) => count > 0 && count < FEW;
  const rare = isSolved(model.name) ? itemsOf(artifact).filter(isRare).length : 0;
  if (rare > 0)
    return `It has no ids of users. But one or two people have each of ${plural(rare, 'item')}, whose weights tell what else these people have; leave out such items before training if that must not be known`;
  return data.kind === 'ratings'
    ? 'It only has data about items: no ids, factors or ratings of users'
    : 'It only has data about items, such as how many users have each, and nothing about single users';
}
