import { readSeen } from '../artifact/seen.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { type Ratings, renumbered } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import type { Item, Recommender } from '../recommend/recommender.ts';
import { count, decimal, plural, short } from '../util/format.ts';
import { type Html, html, missing } from './html.ts';
import { titled } from './known-items.ts';
import { numbers, table } from './table.ts';

/** A user and the items that they rated, by id; ratings are undefined if only the items are known. */
interface Person {
  readonly user: string;
  /** Number of their ratings, in words. */
  readonly kind: string;
  readonly rated: ReadonlyMap<string, number | undefined>;
}

/** Three kinds of users, by the fraction of users who have fewer ratings. */
const KINDS = [
  ['few', 0.1],
  ['a medium number of', 0.5],
  ['many', 0.9],
] as const;
/** Users with fewer ratings are not shown. */
const LEAST = 5;
const SHOWN = 10;

export async function peopleSection(recommender: Recommender, data: Ratings | undefined): Promise<Html> {
  if (!recommender.heads.includes('recommend')) return missing('The model has no recommend.onnx.');
  const people = threePeople(recommender, data);
  if (!people)
    return missing(
      'It is not known which items users rated. Make the report with data, or train the model with keepSeen, which stores these items in the model.',
    );
  if (people.length === 0)
    return missing(`No user that the model knows has ${LEAST} ratings or more, so none is shown.`);
  const cards: Html[] = [];
  for (const person of people) cards.push(await cardOf(recommender, person, data !== undefined));
  const kept = recommender.heads.includes('seen');
  const leftOut = kept
    ? 'Items that a user rated in training are not recommended.'
    : 'Items that a user rated in the file are not recommended.';
  return html`<p>One user with few ratings, one with a medium number, and one with many: compare the recommendations with
what they like. ${leftOut}</p>
${cards}`;
}

/** Three users; undefined if it is not known which items users rated. */
function threePeople({ artifact }: Recommender, data: Ratings | undefined): Person[] | undefined {
  const known = readVocabulary(artifact);
  const rows = data ? renumbered(data, known) : undefined;
  // For each user the indices of ratings in the data, or the row numbers of items.
  const lists = rows
    ? [...indicesByUser(rows.users, known.userIds.length + 1)]
        .slice(0, -1)
        .map((own) => own.filter((index) => rows.items[index] < known.itemIds.length))
    : readSeen(artifact);
  const rated = (at: number): [string, number | undefined] =>
    rows ? [known.itemIds[rows.items[at]], rows.ratings[at]] : [known.itemIds[at], undefined];
  return (
    lists &&
    threeOf(lists).map(([row, kind]) => ({
      user: known.userIds[row],
      kind,
      rated: new Map(Array.from(lists[row], rated)),
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

async function cardOf(recommender: Recommender, { user, kind, rated }: Person, fromFile: boolean) {
  const exclude = recommender.heads.includes('seen') ? [] : [...rated.keys()];
  const best = await recommender.recommend(user, { k: SHOWN, exclude });
  const gave = (item: string): string => {
    const rating = rated.get(item);
    return rating === undefined ? '–' : short(rating);
  };
  const popular = recommender.items
    .filter(({ item }) => !rated.has(item))
    .sort((one, other) => other.count - one.count)
    .slice(0, SHOWN);
  const predicts = recommender.objective !== 'ranking';
  const hits = best.some(({ item }) => rated.get(item) !== undefined);
  const recommended = table(
    'Recommended',
    ['Item', ...numbers(...(predicts ? ['Predicted'] : []), ...(hits ? ['Gave'] : []))],
    best.map(({ item, rating }) => [
      titled(recommender, item),
      ...(predicts ? [decimal(rating ?? Number.NaN)] : []),
      ...(hits ? [gave(item)] : []),
    ]),
  );
  return html`<article>
<h3>User <bdi>${user}</bdi>, with ${kind} ratings</h3>
<div class="columns">
${fromFile ? await history(recommender, user, rated as ReadonlyMap<string, number>) : seenHistory(recommender, rated)}
${best.length > 0 ? recommended : missing('There is nothing left to recommend.')}
${popular.length > 0 && popularTable(recommender, popular)}
</div>
</article>`;
}

/** What everyone would get without a model. */
const popularTable = (recommender: Recommender, popular: readonly Item[]): Html =>
  table(
    'Popular with everyone',
    ['Item', ...numbers('Average', 'Ratings')],
    popular.map(({ item, average, count: ratings }) => [
      titled(recommender, item),
      decimal(average ?? Number.NaN),
      count(ratings),
    ]),
  );

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

function seenHistory(recommender: Recommender, rated: Person['rated']): Html {
  const facts = new Map(recommender.items.map((item) => [item.item, item]));
  const known = [...rated.keys()].sort(
    (one, other) => (facts.get(other)?.count ?? 0) - (facts.get(one)?.count ?? 0),
  );
  return table(
    `${plural(rated.size, 'item')} rated${rated.size > SHOWN ? `: the ${SHOWN} best known` : ''}`,
    ['Item', ...numbers('Average', 'Ratings')],
    known
      .slice(0, SHOWN)
      .map((id) => [
        titled(recommender, id),
        decimal(facts.get(id)?.average ?? Number.NaN),
        count(facts.get(id)?.count ?? 0),
      ]),
  );
}
