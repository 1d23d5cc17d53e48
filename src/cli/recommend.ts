import { Command } from 'commander';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { readItems, readOwnRatings } from '../data/ratings.ts';
import { oneLine } from '../data/text.ts';
import { UserError } from '../errors.ts';
import { load } from '../recommend/load.ts';
import type { Recommendation, Recommender } from '../recommend/recommender.ts';
import { number } from './options.ts';
import { decimal, printJson, printTable } from './output.ts';
import { noteUnknown } from './unknown.ts';

interface RecommendFlags {
  user?: string;
  ratings?: string;
  k: number;
  exclude?: string;
  seen?: boolean;
  json?: boolean;
}

export const howMany = ['-k <number>', 'how many', number({ whole: true, from: 1 }), 10] as const;

export function recommendCommand(): Command {
  return new Command('recommend')
    .description('Recommend items to a user, or to a person whose ratings are in a file.')
    .argument('<folder>', 'a trained model')
    .option('--user <id>', 'a user that the model was trained on')
    .option('--ratings <file>', 'ratings of a person that the model has never seen: items and ratings')
    .option(...howMany)
    .option('--exclude <file>', 'items to leave out; where the file has users too, those of this user')
    .option('--seen', 'recommend rated items too; they are left out where the model was trained with --seen')
    .option('--json', 'print one JSON list of {item, title?, rating}')
    .action(run);
}

async function run(directory: string, flags: RecommendFlags): Promise<void> {
  const { user, ratings, json } = flags;
  if ((user === undefined) === (ratings === undefined))
    throw new UserError('give either --user or --ratings');
  const recommender = await load(directory, []);
  const best =
    user === undefined
      ? await forPerson(recommender, ratings as string, flags)
      : await forUser(recommender, user, flags);
  const list = best.map(({ item, rating }) => ({
    item,
    ...titleOf(recommender, item),
    rating: decimal(rating),
  }));
  if (json) printJson(list);
  else printTable(list.map(({ rating, ...named }) => [...namesOf(named), rating.toFixed(2)]));
}

async function forUser(
  recommender: Recommender,
  user: string,
  { k, exclude, seen }: RecommendFlags,
): Promise<readonly Recommendation[]> {
  const left = exclude === undefined ? [] : await readItems(exclude, user);
  const [best] = await recommender.recommend([user], { k, exclude: [left], seen });
  noteUnknown('user', [user], readVocabulary(recommender.artifact).userIds);
  return best;
}

async function forPerson(
  recommender: Recommender,
  file: string,
  { k, exclude }: RecommendFlags,
): Promise<readonly Recommendation[]> {
  const own = await readOwnRatings(file);
  const { itemIds } = readVocabulary(recommender.artifact);
  const known = new Set(itemIds);
  if (!own.some(({ item }) => known.has(item)))
    throw new UserError(oneLine(`${file}: the model knows none of its items; are they ids as in training?`));
  const left = exclude === undefined ? [] : await readItems(exclude, '');
  const { recommended } = await recommender.foldIn(own, { k, exclude: left });
  const items = own.map(({ item }) => item);
  noteUnknown('item', items, itemIds, 'passed over');
  return recommended;
}

/** `{ title }`, where the model has titles. */
export function titleOf({ titles }: Recommender, item: string): { title?: string } {
  const title = titles.get(item);
  return title === undefined ? {} : { title };
}

/** The cells of a table that name an item. */
export function namesOf({ item, title }: { item: string; title?: string }): string[] {
  return title === undefined ? [oneLine(item)] : [oneLine(item), oneLine(title)];
}
