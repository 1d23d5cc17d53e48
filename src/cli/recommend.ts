import { Command } from 'commander';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { readExclusions, readOwnItems, readOwnRatings } from '../data/read/read.ts';
import { UserError } from '../errors.ts';
import { listed } from '../recommend/listed.ts';
import type { Own, Recommended, Recommender } from '../recommend/recommender.ts';
import type { RunChoices } from '../train/recipe/run-choices.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { chosenFrom, type Flags, LISTS, readingOf, withChoices } from './choice-options.ts';
import { ItemNames } from './item-names.ts';
import { OPENING, openModel } from './open-model.ts';
import { printHeading, printJson, printNote, printTable, significant } from './output.ts';
import { fateOfUsers, noteUnknown } from './unknown.ts';

/** Choices of all commands that recommend. */
export const RECOMMENDING = {
  k: { kind: kinds.length, help: 'number of items', default: 10 },
  exclude: {
    kind: kinds.text('file'),
    help: 'file of items to leave out; with a column of users, the items of each user',
  },
  includeSeen: {
    kind: kinds.flag,
    help: 'recommend what the user has, too; it is left out unless the model was trained with --no-seen',
  },
} as const satisfies Choices;

const own = {
  ...OPENING,
  user: { kind: kinds.texts('id'), help: 'a user that the model was trained on; may be repeated' },
  ratings: {
    kind: kinds.text('file'),
    help: 'file of items, by id or title, and ratings of a person who is not in the training data',
  },
  items: {
    kind: kinds.text('file'),
    help: 'file of the items, by id or title, that a person has who is not in the training data, for a model of interactions',
  },
  itemColumn: {
    kind: kinds.text('column'),
    help: 'column of item ids in the file of ratings or items: its name, or its number from 1',
  },
  ratingColumn: { kind: kinds.text('column'), help: 'column of ratings in the file of ratings' },
  ...RECOMMENDING,
  json: {
    kind: kinds.flag,
    help: 'print one JSON list of {item, title?, score, rating?}; of several users, a list of {user, known, recommended}',
  },
} as const satisfies Choices;

type RecommendFlags = Flags<'device', typeof own>;

export function recommendCommand(): Command {
  const command = new Command('recommend')
    .description('Recommend items to users, or to a person whose ratings, or items, are in a file.')
    .argument('<folder>', 'a trained model');
  return withChoices(command, ['device', ...LISTS], own).action(run);
}

async function run(directory: string, flags: RecommendFlags): Promise<void> {
  const { user, ratings, items, json } = flags;
  const own = ratings ?? items;
  if ([user, ratings, items].filter((one) => one !== undefined).length !== 1)
    throw new UserError(
      'argument',
      'give --user, or a file with --ratings, or with --items for a model of interactions; only one of them',
    );
  if (own !== undefined && flags.includeSeen)
    throw new UserError(
      'argument',
      `--include-seen is for --user; items in --${ratings === undefined ? 'items' : 'ratings'} are always left out`,
    );
  const recommender = await openModel(directory, flags);
  checkKind(recommender, flags);
  if (own === undefined) return forUsers(recommender, user as readonly string[], flags);
  const list = listed(recommender.titles, await forPerson(recommender, own, flags));
  if (json) printJson(list);
  else printList(recommender, list);
}

function printList(recommender: Recommender, list: readonly Recommended[]): void {
  printTable(
    list.map(({ item, score, rating }) => [
      ...namesOf(recommender, item),
      rating?.toFixed(2) ?? significant(score),
    ]),
  );
  if (list.length === 0) printNote('There is nothing left to recommend');
}

/** @throws UserError for a file of ratings where the model has none, or the other way round */
function checkKind({ kind }: Recommender, { ratings, items, ratingColumn }: RecommendFlags): void {
  if (kind === 'interactions' && ratings !== undefined)
    throw new UserError(
      'argument',
      'the model was trained on interactions, without ratings; give what the person has with --items',
    );
  if (kind === 'ratings' && items !== undefined)
    throw new UserError(
      'argument',
      'the model was trained on ratings; give those of the person with --ratings',
    );
  if (items !== undefined && ratingColumn !== undefined)
    throw new UserError('argument', '--rating-column is for --ratings; leave it out');
}

async function forUsers(
  recommender: Recommender,
  users: readonly string[],
  { k, exclude, includeSeen, json, ...flags }: RecommendFlags,
): Promise<void> {
  const exclusions = exclude === undefined ? {} : await readExclusions(exclude, listFlags(flags));
  const { userIds } = readVocabulary(recommender.artifact);
  const known = new Set(userIds);
  const found = await recommender.recommend(users, { k, includeSeen, ...exclusions });
  const lists = found.map((list) => listed(recommender.titles, list));
  const [only] = lists;
  if (json)
    printJson(
      lists.length === 1
        ? only
        : users.map((user, at) => ({ user, known: known.has(user), recommended: lists[at] })),
    );
  else
    for (const [at, list] of lists.entries()) {
      if (lists.length > 1)
        printHeading(`User ${users[at]}${known.has(users[at]) ? '' : ', unknown to the model'}`, at);
      printList(recommender, list);
    }
  noteUnknown('user', users, userIds, fateOfUsers(recommender));
  if (!includeSeen && exclude === undefined && users.some((user) => known.has(user))) noteUnseen(recommender);
}

/** Says that what users have may be recommended to them again, where the model does not know it. */
export function noteUnseen({ artifact, kind }: Recommender): void {
  if (artifact.manifest.files['seen.onnx']) return;
  printNote(
    `The model does not store what users ${kind === 'ratings' ? 'rated' : 'have'}, so it may recommend that again; leave it out with --exclude FILE, or train with --seen`,
  );
}

async function forPerson(recommender: Recommender, file: string, { k, exclude, ...flags }: RecommendFlags) {
  const readOwn = recommender.kind === 'ratings' ? readOwnRatings : readOwnItems;
  const given = await readOwn(file, readingOf(flags));
  const names = new ItemNames(recommender);
  const items = names.idsOf(given.map((one) => (typeof one === 'string' ? one : one.item)));
  const own = given.map((one, at) => (typeof one === 'string' ? items[at] : { ...one, item: items[at] }));
  const { itemIds } = readVocabulary(recommender.artifact);
  names.noteLike(items.filter((item) => !names.isKnown(item)));
  if (!items.some((item) => names.isKnown(item)))
    throw new UserError(
      'argument',
      `${file}: the model does not know any of its items; are their ids those of the training data?`,
    );
  const exclusions = exclude === undefined ? {} : await readExclusions(exclude, listFlags(flags));
  if (exclusions.excludeByUser)
    throw new UserError(
      'argument',
      `${exclude}: has a column of users; for a person who is not in the training data, give a file with items only`,
    );
  const { recommended } = await recommender.foldIn(own as Own, { k, exclude: exclusions.exclude });
  noteUnknown('item', items, itemIds, 'ignored');
  return recommended;
}

/** How to read a list. No flags name its columns. */
export const listFlags = (flags: object) => ({
  ...chosenFrom<Pick<RunChoices, (typeof LISTS)[number]>>(LISTS, flags),
  optionNames: {},
});

/** The cells of a table row for an item: its id and, if there are titles, its title. */
export function namesOf({ titles }: Recommender, item: string): string[] {
  return titles.size > 0 ? [item, titles.get(item) ?? ''] : [item];
}
