import { readSeen } from '../artifact/seen.ts';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { type Ratings, renumbered } from '../data/dataset/ratings.ts';
import { placesByUser } from '../data/dataset/rows.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { count, decimal, plural, short } from './format.ts';
import { type Html, html } from './html.ts';
import { titled } from './known-items.ts';
import { missing, type Section } from './section.ts';
import { table } from './table.ts';

/** A user with what they rated, by item id; without the ratings where only the items are known. */
interface Person {
  readonly user: string;
  readonly rated: ReadonlyMap<string, number | undefined>;
}

/** A light, a middling and a heavy user: by which part of all users have fewer ratings. */
const KINDS = [
  ['few', 0.1],
  ['a middling number of', 0.5],
  ['many', 0.9],
] as const;
/** With less of a history there is little to show. */
const LEAST = 5;
const SHOWN = 10;

export async function peopleSection(recommender: Recommender, data: Ratings | undefined): Promise<Section> {
  const section = { id: 'people', title: 'Three users' };
  const without = (why: string): Section => ({ ...section, body: missing(why) });
  if (!recommender.heads.includes('recommend')) return without('The model has no recommend.onnx.');
  const people = data ? peopleOf(recommender, data) : seenPeople(recommender);
  if (!people)
    return without(
      'What users rated is not known here: give ratings by --data FILE, or train with --keep-seen, which keeps in the model what users rated.',
    );
  if (people.length === 0)
    return without(`No user that the model knows has ${LEAST} ratings or more; nothing is shown.`);
  const cards: Html[] = [];
  for (const [person, kind] of people)
    cards.push(await cardOf(recommender, person, kind, data !== undefined));
  const kept = recommender.heads.includes('seen');
  const leftOut = kept
    ? 'Items that a user rated in training are not recommended.'
    : 'Items that a user rated in the file are not recommended.';
  const body = html`<p>One user with few ratings, one with a middling number, one with many: a look at whether what the model
recommends makes sense beside what they like. ${leftOut}</p>
${cards}`;
  return { ...section, body };
}

/** By what they rated of the items that the model knows. */
function peopleOf({ artifact }: Recommender, data: Ratings): [Person, string][] {
  const { userIds, itemIds } = readVocabulary(artifact);
  const { users, items, ratings } = renumbered(data, { userIds, itemIds });
  const places = [...placesByUser(users, userIds.length + 1)]
    .slice(0, -1)
    .map((own) => own.filter((place) => items[place] < itemIds.length));
  return threeOf(places).map(([row, kind]) => [
    {
      user: userIds[row],
      rated: new Map(Array.from(places[row], (place) => [itemIds[items[place]], ratings[place]])),
    },
    kind,
  ]);
}

function seenPeople({ artifact }: Recommender): [Person, string][] | undefined {
  const { userIds, itemIds } = readVocabulary(artifact);
  const seen = readSeen(artifact);
  return (
    seen &&
    threeOf(seen).map(([row, kind]) => [
      { user: userIds[row], rated: new Map(Array.from(seen[row], (item) => [itemIds[item], undefined])) },
      kind,
    ])
  );
}

/** The places of three of the lists, by their lengths. */
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

async function cardOf(
  recommender: Recommender,
  { user, rated }: Person,
  kind: string,
  fromFile: boolean,
): Promise<Html> {
  const exclude = recommender.heads.includes('seen') ? [] : [...rated.keys()];
  const [best] = await recommender.recommend([user], { k: SHOWN, exclude: [exclude] });
  const gave = (item: string): string => {
    const rating = rated.get(item);
    return rating === undefined ? '–' : short(rating);
  };
  const hits = best.some(({ item }) => rated.get(item) !== undefined);
  const recommended = table(
    'Recommended',
    ['Item', { number: 'Predicted' }, ...(hits ? [{ number: 'Gave' }] : [])],
    best.map(({ item, rating }) => [
      titled(recommender, item),
      decimal(rating),
      ...(hits ? [gave(item)] : []),
    ]),
  );
  return html`<article>
<h3>User <bdi>${user}</bdi>, with ${kind} ratings</h3>
<div class="columns">
${fromFile ? await history(recommender, user, rated as ReadonlyMap<string, number>) : seenHistory(recommender, rated)}
${best.length > 0 ? recommended : missing('Nothing is left to recommend.')}
</div>
</article>`;
}

/** What they rated highest and lowest, beside what the model says. */
async function history(
  recommender: Recommender,
  user: string,
  rated: ReadonlyMap<string, number>,
): Promise<Html> {
  const sorted = [...rated].sort(([, one], [, other]) => other - one);
  const low = sorted.length > SHOWN ? 3 : 0;
  const shown = [...sorted.slice(0, SHOWN - low), ...sorted.slice(sorted.length - low)];
  const ids = shown.map(([item]) => item);
  const predicted = await recommender.predict(Array<string>(ids.length).fill(user), ids);
  const mean = sorted.reduce((sum, [, rating]) => sum + rating, 0) / sorted.length;
  const some = low > 0 ? `: ${SHOWN - low} highest, ${low} lowest` : '';
  return table(
    `${plural(rated.size, 'rating')}, ${decimal(mean)} on average${some}`,
    ['Item', { number: 'Gave' }, { number: 'Predicted' }],
    shown.map(([item, rating], at) => [titled(recommender, item), short(rating), decimal(predicted[at])]),
  );
}

/** The best known of the items that they rated. */
function seenHistory(recommender: Recommender, rated: Person['rated']): Html {
  const facts = new Map(recommender.items.map((item) => [item.item, item]));
  const known = [...rated.keys()].sort(
    (one, other) => (facts.get(other)?.ratings ?? 0) - (facts.get(one)?.ratings ?? 0),
  );
  return table(
    `${plural(rated.size, 'item')} rated${rated.size > SHOWN ? `: the ${SHOWN} best known` : ''}`,
    ['Item', { number: 'Average' }, { number: 'Ratings' }],
    known
      .slice(0, SHOWN)
      .map((id) => [
        titled(recommender, id),
        decimal(facts.get(id)?.average ?? Number.NaN),
        count(facts.get(id)?.ratings ?? 0),
      ]),
  );
}
