import { describe, expect, test } from 'vitest';
import { partsOf } from '../../src/artifact/manifest.ts';
import { verdictOf } from '../../src/artifact/verdict.ts';
import { Ratings, selectRows } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { evaluate } from '../../src/evaluate/evaluate.ts';
import { metrics } from '../../src/evaluate/metrics.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { report } from '../../src/report/report.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { argumentError, userError } from '../support/files.ts';
import { HOSTILE, held, known, textOf, trained } from './models.ts';

const SECTIONS = ['quality', 'accuracy', 'standings', 'map', 'people', 'training', 'model'];

const idsOf = ({ users, items, userIds, itemIds }: Ratings): [string[], string[]] => [
  Array.from(users, (row) => userIds[row]),
  Array.from(items, (row) => itemIds[row]),
];

const sections = (page: string): Record<string, string> =>
  Object.fromEntries(
    page
      .split('<section id="')
      .slice(1)
      .map((part) => [part.split('"')[0], part]),
  );

test.each<[string, Recipe]>([
  ['dot-bias', { objective: 'rating' }],
  ['mlp', { objective: 'rating', model: 'mlp', hidden: [8] }],
])('%s: the numbers of the manifest, and of the data, are in it', async (name, recipe) => {
  const recommender = await trained(recipe, { valid: held, seen: true });
  const { manifest } = recommender.artifact;
  const page = await report(recommender, { data: held, source: 'held.csv' });
  const parts = sections(page);
  expect(Object.keys(parts)).toEqual(SECTIONS);

  const model = textOf(parts.model);
  for (const number of [
    manifest.metrics.train?.rmse ?? Number.NaN,
    manifest.metrics.valid?.rmse ?? Number.NaN,
  ])
    expect(model).toContain(number.toFixed(4));
  expect(model).toContain(manifest.data.fingerprint);
  for (const name of Object.keys(manifest.files)) expect(model).toContain(name);
  const training = textOf(parts.training);
  for (const { loss, valid } of manifest.history) {
    expect(training).toContain(loss.toFixed(4));
    expect(training).toContain(valid?.mae?.toFixed(4));
  }
  expect(training).toMatch(/The model is from epoch \d, whose validation error was the lowest/);

  const { rmse, mae } = metrics(await recommender.predict(...idsOf(held)), held.ratings);
  const accuracy = textOf(parts.accuracy);
  expect(accuracy).toContain(`${rmse.toFixed(4)}`);
  expect(accuracy).toContain(`${mae.toFixed(4)}`);
  expect(accuracy).toContain('held.csv');
  expect(accuracy).toMatch(/not trained on any of these ratings/);
  expect(parts.accuracy.match(/<svg /g)).toHaveLength(5);

  expect(textOf(parts.standings)).toMatch(name === 'mlp' ? /average user/ : /the biases of the model/);
  expect(parts.map.match(/<svg /g)).toHaveLength(2);
  expect(parts.map.match(/<ol>/g)).toHaveLength(4);
  expect(parts.people.match(/<article>/g)).toHaveLength(3);
});

test.each<[string, Recipe]>([
  ['both', {}],
  ['rating', { objective: 'rating' }],
  ['ranking', { objective: 'ranking' }],
  ['ranking', { objective: 'ranking', model: 'mlp', hidden: [8] }],
])('%s: what the model was trained for, and nothing else', async (objective, recipe) => {
  // The validation ratings are kept as seen, so others judge the rankings.
  const { train: some, valid } = randomSplit(known, 0.2, 2);
  const recommender = await trained(recipe, { ratings: some, valid, seen: true });
  const page = await report(recommender, { data: held, source: 'held.csv' });
  expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  const parts = sections(page);
  const { rating, ranking } = partsOf(recommender.artifact.manifest);
  const [model, training, accuracy] = [parts.model, parts.training, parts.accuracy].map(textOf);
  for (const part of [rating, ranking])
    for (const measure of Object.values(part?.metrics.valid ?? {}))
      expect(model).toContain(measure?.toFixed(4));
  for (const { loss } of ranking?.history ?? []) expect(training).toContain(loss.toFixed(4));
  expect(training.includes('NDCG on the held-out part was the highest')).toBe(objective !== 'rating');
  expect(training.includes('validation error was the lowest')).toBe(objective !== 'ranking');
  expect(accuracy.includes('predicts no ratings')).toBe(objective === 'ranking');
  const { ranking: expected } = await evaluate(recommender, held);
  expect(accuracy).toContain(`this model ${expected?.at[0].ndcg.toFixed(4)}`);
  expect(accuracy).toMatch(/the most rated items \d\.\d{4}/);
  expect(parts.accuracy.match(/<svg /g) ?? []).toHaveLength(objective === 'ranking' ? 0 : 5);
  expect(textOf(parts.people).match(/Popular with everyone/g)).toHaveLength(3);
  expect(textOf(parts.people).includes('Predicted')).toBe(objective !== 'ranking');
  expect(textOf(parts.standings)).toMatch(objective === 'ranking' ? /how many people like/ : /generous/);
});

describe('a model of interactions', () => {
  const bare = (ratings: Ratings) =>
    new Ratings({ ...ratings, kind: 'interactions', name: 'interactions', ratings: undefined });
  const counted = (ratings: Ratings) => new Ratings({ ...ratings, kind: 'interactions', name: 'plays' });

  test.each([
    ['all alike', bare],
    ['with strengths', counted],
  ])('%s: has rankings, and says nothing of ratings', async (_, of) => {
    const { train: some, valid } = randomSplit(of(known), 0.2, 2);
    const recommender = await trained({}, { ratings: some, valid, seen: true });
    const { manifest } = recommender.artifact;
    const page = await report(recommender, { data: of(held), source: 'held.csv' });
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
    const parts = sections(page);
    expect(Object.keys(parts)).toEqual(SECTIONS);
    const withoutHashes = textOf(page).replace(/[0-9a-f]{16,}/g, '');
    expect(withoutHashes.match(/.{30}\b(rated|ratings?|stars?|RMSE|MAE|generous)\b.{30}/gi)).toBeNull();
    const model = textOf(parts.model);
    expect(model).toContain(`Interactions ${some.ratings.length}`);
    expect(model.includes('Lowest to highest strength')).toBe(of === counted);
    for (const measure of Object.values(manifest.metrics.valid ?? {}))
      expect(model).toContain(measure?.toFixed(4));
    const accuracy = textOf(parts.accuracy);
    const { ranking } = await evaluate(recommender, of(held));
    expect(accuracy).toContain(`this model ${ranking?.at[0].ndcg.toFixed(4)}`);
    expect(accuracy).toMatch(/An item is right if the user has it in held\.csv/);
    expect(parts.accuracy).not.toContain('class="missing"');
    expect(textOf(parts.standings)).toMatch(/Only items that at least \d+ users have in training/);
    expect(textOf(parts.people).includes('Strength')).toBe(of === counted);
    expect(parts.people.match(/<article>/g)).toHaveLength(3);
    expect(textOf(parts.people)).toMatch(/Popular with everyone Item Users/);
  });

  test('without data, it says what would give its quality', async () => {
    const recommender = await trained({}, { ratings: bare(known), seen: true });
    const parts = sections(await report(recommender));
    expect(textOf(parts.accuracy)).toMatch(/Make the report with data: interactions/);
    expect(textOf(parts.people)).toMatch(/Has \d+ items/);
    expect(textOf(parts.people)).toContain('Not recommended are items that the user had in training.');
  });

  test('says what recommendations leave out, and where the items that it shows are from', async () => {
    const leftOut = Uint8Array.from(known.users, (_, at) => at % 2);
    const some = new Ratings({ ...bare(known), leftOut });
    for (const [reading, what] of [
      [undefined, 'leave out, which are some of what users have'],
      [{ eventColumn: 'event', leaveOut: ['buy'] }, 'leave out: what the user has by "buy"'],
    ] as const) {
      const page = await report(await trained({}, { ratings: some, reading }), {
        data: bare(held),
        source: 'held.csv',
      });
      const parts = sections(page);
      expect(textOf(parts.people)).toContain(`Not recommended are items that recommendations ${what}.`);
      expect(textOf(parts.people)).toMatch(/Has \d+ items in held\.csv/);
      expect(textOf(parts.accuracy)).toContain(`of all items except those that recommendations ${what}.`);
      expect(textOf(page)).not.toContain('had in training');
      expect(textOf(page)).toMatch(/A recommender trained on interactions It recommends items: /);
    }
  });

  test('does not judge a model of ratings', async () => {
    expect(await userError(report(await trained(), { data: bare(held), source: 'plays.csv' }))).toBe(
      "plays.csv: these are interactions, but the model is trained on ratings; read them with `kind: 'ratings'`",
    );
  });
});

test('recommendations are those of the model, beside what the user gave', async () => {
  const recommender = await trained();
  const { people } = sections(await report(recommender, { data: known }));
  const [user] = /user \d+/.exec(textOf(people)) ?? [''];
  const row = known.userIds.indexOf(user);
  const rated = known.itemIds.filter((_, item) =>
    known.users.some((by, at) => by === row && known.items[at] === item),
  );
  const best = await recommender.recommend(user, { exclude: rated });
  const [card] = people.split('</article>');
  const recommended = card.slice(card.indexOf('Recommended'), card.indexOf('Popular with everyone'));
  expect([...recommended.matchAll(/<bdi>(.*?)<\/bdi>/g)].map(([, item]) => item)).toEqual(
    best.map(({ item }) => item),
  );
  expect(textOf(card)).toContain(`${rated.length} ratings,`);
});

test('begins with how good the model is on what was held out, beside the baselines', async () => {
  const judging = await train(known, { factors: 3, epochs: 4 }, { valid: held });
  const judged = await judging.judge(held);
  const fitted = await train(known, { factors: 3, epochs: 2 });
  const page = await report(await fitted.recommender({ judged }));
  const parts = sections(page);
  const quality = textOf(parts.quality);
  const { rating, ranking } = judged;
  for (const { rmse, mae } of [rating?.model, rating?.mean, rating?.dampedMeans].flatMap((one) => one ?? []))
    for (const value of [rmse, mae]) expect(quality).toContain(value.toFixed(4));
  for (const { ndcg, precision } of [ranking?.model, ranking?.popular].flatMap((one) => one ?? []))
    for (const value of [ndcg, precision]) expect(quality).toContain(value.toFixed(4));
  expect(quality).toContain(`${verdictOf(judged).sentence}.`);
  expect(quality).toMatch(
    /Judged on \d+ ratings, held out at random, .* The saved model is trained on all of them/,
  );
  // The curves are those of the judged training.
  const training = textOf(parts.training);
  for (const { valid } of rating?.history ?? []) expect(training).toContain(valid?.rmse?.toFixed(4));
  expect(training).toMatch(
    /Of its 4 epochs the best was \d.* The model was then trained on all data for 2 epochs/,
  );
  const unjudged = sections(await report(await trained()));
  expect(textOf(unjudged.quality)).toMatch(/nothing was held out to judge it on/);
});

test('without data, and without what users rated, it says what would give them', async () => {
  const parts = sections(await report(await trained({}, { seen: false })));
  expect(textOf(parts.accuracy)).toMatch(/Make the report with data/);
  expect(textOf(parts.people)).toMatch(/trained with seen: false; make the report with data/);
  const kept = sections(await report(await trained({}, { seen: true })));
  expect(kept.people.match(/<article>/g)).toHaveLength(3);
});

test('says whether the errors are too low', async () => {
  const accuracy = async (data: Ratings, seen: boolean) =>
    textOf(sections(await report(await trained({}, { seen }), { data })).accuracy);
  expect(await accuracy(held, true)).toMatch(/not trained on any of these ratings/);
  expect(await accuracy(known, true)).toMatch(/Errors on training ratings are too low/);
  expect(await accuracy(held, false)).toMatch(
    /If the model was trained on these ratings, the errors are too low/,
  );
});

test('users and items that the model has never seen count as average', async () => {
  const data = new Ratings({ ...held, userIds: held.userIds.map((id) => `other ${id}`) });
  const parts = sections(await report(await trained(), { data }));
  expect(textOf(parts.accuracy)).toMatch(/of an unknown user or item, treated as average 100 %/);
  expect(textOf(parts.people)).toMatch(/No user that the model knows/);
});

test('draws other losses and schedules, and leaves out a schedule that it cannot know', async () => {
  const training = async (recommender: Recommender) => sections(await report(recommender)).training;
  const huber = await training(
    await trained({ objective: 'rating', loss: 'huber', schedule: 'constant' }, { valid: held }),
  );
  expect(huber.match(/<svg /g)).toHaveLength(3);
  expect(huber).toContain('Training loss by epoch');
  expect(huber).toContain('The constant schedule');
  const { artifact } = await trained({ objective: 'rating', loss: 'l1' });
  const { manifest } = artifact;
  const other = { ...manifest.training, schedule: { name: '<i>own</i>', learningRate: 0.005 } };
  const changed = { ...artifact, manifest: { ...manifest, training: other } };
  const unknown = await training(await Recommender.create(changed, await nodeRuntime()));
  expect(unknown.match(/<svg /g)).toHaveLength(1);
  expect(textOf(unknown)).toMatch(/The learning rate is not drawn/);
});

test('titles, ids and file names are text, whatever they hold', async () => {
  const hostile = (ids: readonly string[]) => ids.map((id) => `${id}${HOSTILE}`);
  const ids = { userIds: hostile(known.userIds), itemIds: hostile(known.itemIds) };
  const ratings = new Ratings({ ...known, ...ids });
  const titles = new Map(ratings.itemIds.map((id) => [id, `Title of ${id}`]));
  const recommender = await trained({}, { ratings, titles, seen: true });
  const page = await report(recommender, { data: ratings, source: HOSTILE });
  expect(page).not.toMatch(/<script|<img|<\/?i>/i);
  expect(page.match(/<\/svg>/g)).toHaveLength(page.match(/<svg /g)?.length ?? 0);
  const text = textOf(page);
  expect(text).toContain(`The ratings in ${HOSTILE} , compared with`);
  const listed = known.itemIds.filter((id) => text.includes(`Title of ${id}${HOSTILE}`));
  expect(listed.length).toBeGreaterThan(10);
});

test('needs nothing from elsewhere, and may not have it', async () => {
  const page = await report(await trained({}, { seen: true }), { data: held });
  expect(page).toContain(`content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;`);
  for (const [, target] of page.matchAll(/\b(?:src|href|action)="([^"]*)"/g))
    expect(target).toMatch(/^#\w+$/);
  for (const [, target] of page.matchAll(/url\(([^)]*)\)/g)) expect(target).toMatch(/^#/);
  expect(page.replace(/ xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:|@import|<script/);
});

test('every chart has a name, every table a caption, and every id is of one element', async () => {
  const page = await report(await trained({}, { seen: true }), { data: held });
  expect(page.match(/<svg role="img" aria-label="[^"]{20,}"/g)).toHaveLength(
    page.match(/<svg /g)?.length ?? 0,
  );
  expect(page.match(/<table>\s*<caption>[^<]/g)).toHaveLength(page.match(/<table>/g)?.length ?? 0);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
});

test('the smallest of models has a page too', async () => {
  const ratings = new Ratings({
    userIds: ['a', 'b'],
    itemIds: ['x', 'y'],
    users: Int32Array.of(0, 0, 1),
    items: Int32Array.of(0, 1, 0),
    ratings: Float32Array.of(1, 5, 3),
  });
  const page = await report(await trained({ factors: 1, epochs: 1 }, { ratings }), { data: ratings });
  expect(Object.keys(sections(page))).toEqual(SECTIONS);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test('what is no recommender, no ratings, or no option, is refused', async () => {
  const make = report as unknown as (...given: unknown[]) => Promise<unknown>;
  expect(await argumentError(make())).toBe(
    'the recommender is undefined; give a Recommender, such as that of load',
  );
  const recommender = await trained();
  expect(await argumentError(make(recommender, { data: 'held.csv' }))).toMatch(
    /^data is "held.csv"; give Ratings/,
  );
  expect(await argumentError(make(recommender, held))).toMatch(/^there is no option "/);
});

test('data without a rating is a mistake', async () => {
  const none = selectRows(held, new Int32Array());
  expect(await userError(report(await trained(), { data: none, source: 'a\nb.csv' }))).toBe(
    'a b.csv: has no ratings to evaluate the model on',
  );
});

test('the page of a model of 10,000 items stays small', async () => {
  const [users, items, count] = [2000, 10_000, 200_000];
  const random = uniforms(3 * count, generator(1));
  const skewed = (part: number, rows: number): number => Math.floor(rows * part ** 3);
  const ratings = new Ratings({
    userIds: Array.from({ length: users }, (_, row) => `u${row}`),
    itemIds: Array.from({ length: items }, (_, row) => `i${row}`),
    users: Int32Array.from({ length: count }, (_, at) => skewed(random[3 * at], users)),
    items: Int32Array.from({ length: count }, (_, at) => skewed(random[3 * at + 1], items)),
    ratings: Float32Array.from({ length: count }, (_, at) => 1 + Math.floor(5 * random[3 * at + 2])),
  });
  const titles = new Map(ratings.itemIds.map((id) => [id, `A title of an item that is rather long: ${id}`]));
  const recommender = await trained(
    { factors: 10, epochs: 1, batchSize: 4096 },
    { ratings, titles, seen: true },
  );
  const page = await report(recommender, { data: ratings });
  expect(page.length).toBeLessThan(500_000);
});

test('item-item: weights, and no epochs, no factors and no map', async () => {
  const recipe: Recipe = { model: 'item-item', factors: undefined, epochs: undefined };
  const recommender = await trained(recipe, { seen: true });
  const parts = sections(await report(recommender, { data: held, source: 'held.csv' }));
  expect(Object.keys(parts)).toEqual(SECTIONS);
  const model = textOf(parts.model);
  expect(model).toMatch(/Regularization [\d.]+/);
  expect(model).toMatch(/Numbers of large tables float16/);
  expect(model).not.toMatch(/epoch|\bfactor|seed/i);
  expect(textOf(parts.training)).toMatch(/at once, in closed form: there were no epochs/);
  expect(parts.training).not.toContain('<svg');
  expect(textOf(parts.accuracy)).toContain('NDCG');
  expect(textOf(parts.map)).toMatch(/There is no map, because the model has weights between items/);
  expect(textOf(parts.people)).toMatch(/Recommended/);
});
