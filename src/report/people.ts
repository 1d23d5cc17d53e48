import { readSeen } from '../artifact/seen.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { type Ratings, renumbered } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import { type Html, html, missing } from '../document/html.ts';
import { numbers, table } from '../document/table.ts';
import type { Item, Recommender } from '../recommend/recommender.ts';
import { count, decimal, plural, short } from '../util/format.ts';
import { titled } from './known-items.ts';
import { leftOut, WORDS } from './words.ts';

/**
 * A user and the items that they rated, or have, by id. The numbers are ratings or strengths; undefined if only the items are
 * known.
 */
interface Person {
  readonly user: string;
  /** Number of their items, in words. */
  readonly kind: string;
  readonly own: ReadonlyMap<string, number | undefined>;
}

/** Three kinds of users, by the fraction of users who have fewer items. */
const KINDS = [
  ['few', 0.1],
  ['a medium number of', 0.5],
  ['many', 0.9],
] as const;
/** Users with fewer items are not shown. */
const LEAST = 5;
const SHOWN = 10;

/** @param source name of the data, such as that of their file */
export async function peopleSection(
  recommender: Recommender,
  data: Ratings | undefined,
  source: string,
): Promise<Html> {
  if (!recommender.heads.includes('recommend')) return missing('The model has no recommend.onnx.');
  const { did } = WORDS[recommender.kind];
  const many = recommender.kind === 'ratings' ? 'ratings' : 'items';
  const people = threePeople(recommender, data);
  if (!people)
    return missing(
      `It is not known which items users ${did}. The model was trained with seen: false; make the report with data.`,
    );
  if (people.length === 0)
    return missing(`No user that the model knows has ${LEAST} ${many} or more, so none is shown.`);
  const cards: Html[] = [];
  for (const person of people) cards.push(await cardOf(recommender, person, data && source));
  const seen = readSeen(recommender.artifact);
  const items = seen ? leftOut(recommender.artifact, seen) : `that the user ${did} in the file`;
  return html`<p>One user with few ${many}, one with a medium number, and one with many: compare the recommendations with
what they like. Not recommended are items ${items}.</p>
${cards}`;
}

/** Three users; undefined if it is not known which items are theirs. */
function threePeople({ artifact }: Recommender, data: Ratings | undefined): Person[] | undefined {
  const known = readVocabulary(artifact);
  const rows = data ? renumbered(data, known) : undefined;
  // An interaction without a strength is no item that a user has.
  const isOwn = (index: number): boolean => data?.kind !== 'interactions' || data.ratings[index] > 0;
  // For each user the indices of rows of the data, or the row numbers of items.
  const lists = rows
    ? [...indicesByUser(rows.users, known.userIds.length + 1)]
        .slice(0, -1)
        .map((own) => own.filter((index) => rows.items[index] < known.itemIds.length && isOwn(index)))
    : readSeen(artifact);
  const ownAt = (at: number): [string, number | undefined] =>
    rows ? [known.itemIds[rows.items[at]], rows.ratings[at]] : [known.itemIds[at], undefined];
  return (
    lists &&
    threeOf(lists).map(([row, kind]) => ({
      user: known.userIds[row],
      kind,
      own: new Map(Array.from(lists[row], ownAt)),
    }))
  );
}

/** Chooses three lists by their lengths. */
function threeOf(lists: readonly Int32Array[]): [row: number, kind: string][] {
  const sorted = [...lists.keys()]
    .filter((row) => lists[row].length >= LEAST)
    .sort((one, other) => lists[one].length - lists[other].length);
  const chosen = new Map<number, string>();
  for (const [kind, part] of KINDS) {
    const row = sorted[Math.floor(part * (sorted.length - 1))];
    if (row !== undefined && !chosen.has(row)) chosen.set(row, kind);
  }
  return [...chosen];
}

async function cardOf(recommender: Recommender, { user, kind, own }: Person, source: string | undefined) {
  const exclude = recommender.heads.includes('seen') ? [] : [...own.keys()];
  const isRated = recommender.kind === 'ratings';
  const best = await recommender.recommend(user, { k: SHOWN, exclude });
  const gave = (item: string): string => {
    const number = own.get(item);
    if (number === undefined) return '–';
    return isRated ? short(number) : 'yes';
  };
  const popular = recommender.items
    .filter(({ item }) => !own.has(item))
    .sort((one, other) => other.count - one.count)
    .slice(0, SHOWN);
  const predicts = recommender.objective !== 'ranking';
  const hits = best.some(({ item }) => own.get(item) !== undefined);
  const recommended = table(
    'Recommended',
    [
      'Item',
      ...numbers(
        ...(predicts ? ['Predicted'] : []),
        ...(hits ? [isRated ? 'Gave' : source === undefined ? 'Has it' : `Has it in ${source}`] : []),
      ),
    ],
    best.map(({ item, rating }) => [
      titled(recommender, item),
      ...(predicts ? [decimal(rating ?? Number.NaN)] : []),
      ...(hits ? [gave(item)] : []),
    ]),
  );
  return html`<article>
<h3>User <bdi>${user}</bdi>, with ${kind} ${isRated ? 'ratings' : 'items'}</h3>
<div class="columns">
${await historyOf(recommender, user, { own, source })}
${best.length > 0 ? recommended : missing('There is nothing left to recommend.')}
${popular.length > 0 && known(recommender, 'Popular with everyone', popular)}
</div>
</article>`;
}

function historyOf(
  recommender: Recommender,
  user: string,
  { own, source }: Pick<Person, 'own'> & { readonly source: string | undefined },
): Promise<Html> | Html {
  if (source === undefined) return seenHistory(recommender, own);
  const numbered = own as ReadonlyMap<string, number>;
  return recommender.kind === 'ratings'
    ? history(recommender, user, numbered)
    : strongest(recommender, numbered, source);
}

/** Items, and how well known they are. */
const known = (recommender: Recommender, title: string, items: readonly Item[]): Html => {
  const isRated = recommender.kind === 'ratings';
  return table(
    title,
    ['Item', ...numbers(...(isRated ? ['Average'] : []), WORDS[recommender.kind].knownBy)],
    items.map(({ item, average = Number.NaN, count: people }) => [
      titled(recommender, item),
      ...(isRated ? [decimal(average)] : []),
      count(people),
    ]),
  );
};

/** The user's highest and lowest ratings, with the model's predictions. */
async function history(recommender: Recommender, user: string, rated: ReadonlyMap<string, number>) {
  const sorted = [...rated].sort(([, one], [, other]) => other - one);
  const low = sorted.length > SHOWN ? 3 : 0;
  const shown = [...sorted.slice(0, SHOWN - low), ...sorted.slice(sorted.length - low)];
  const ids = shown.map(([item]) => item);
  const predicted =
    recommender.objective === 'ranking'
      ? undefined
      : await recommender.predict(Array<string>(ids.length).fill(user), ids);
  const mean = sorted.reduce((sum, [, rating]) => sum + rating, 0) / sorted.length;
  const some = low > 0 ? `: ${SHOWN - low} highest, ${low} lowest` : '';
  return table(
    `${plural(rated.size, 'rating')}, ${decimal(mean)} on average${some}`,
    ['Item', ...numbers('Gave', ...(predicted ? ['Predicted'] : []))],
    shown.map(([item, rating], at) => [
      titled(recommender, item),
      short(rating),
      ...(predicted ? [decimal(predicted[at])] : []),
    ]),
  );
}

/** The items of a user with the highest strengths. */
function strongest(recommender: Recommender, own: ReadonlyMap<string, number>, source: string): Html {
  const strengths = [...own.values()];
  if (strengths.every((strength) => strength === strengths[0])) return seenHistory(recommender, own, source);
  return table(
    `Has ${plural(own.size, 'item')} in ${source}${own.size > SHOWN ? `: the ${SHOWN} strongest` : ''}`,
    ['Item', ...numbers('Strength')],
    [...own]
      .sort(([, one], [, other]) => other - one)
      .slice(0, SHOWN)
      .map(([item, strength]) => [titled(recommender, item), short(strength)]),
  );
}

function seenHistory(recommender: Recommender, own: Person['own'], source?: string): Html {
  const facts = new Map(recommender.items.map((item) => [item.item, item]));
  const items = [...own.keys()]
    .map((item): Item => facts.get(item) ?? { item, count: 0 })
    .sort((one, other) => other.count - one.count);
  const size = plural(own.size, 'item');
  const some = own.size > SHOWN ? `: the ${SHOWN} best known` : '';
  return known(
    recommender,
    `${recommender.kind === 'ratings' ? `${size} rated` : `Has ${size}${source === undefined ? '' : ` in ${source}`}`}${some}`,
    items.slice(0, SHOWN),
  );
}
