import { readFile } from 'node:fs/promises';
import stringWidth from 'string-width';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPairs, readRatings } from '../../src/data/read/read.ts';
import { ratingsCsv, workplace } from '../support/cli.ts';

const { write, at, names, here, text, json, failure, manifest, contents } = workplace();

interface Row {
  readonly item: string;
  readonly title?: string;
  readonly score: number;
  readonly rating: number;
}

/** Titles that a careless table would tear apart. */
const titles = ['"Café", the film', '東京物語', 'two\nlines', '👩‍🚀'];

beforeAll(async () => {
  await write(
    'titles.csv',
    `id,title\n${titles.map((title, row) => `i${row},${JSON.stringify(title).replaceAll('\\"', '""').replaceAll('\\n', '\n')}`).join('\n')}\n`,
  );
  const flags = ['--factors', '4', '--epochs', '20', '--batch-size', '16'];
  await text('train', 'ratings.csv', '--out', 'plain', '--no-seen', ...flags);
  await text('train', 'ratings.csv', '--out', 'full', '--seen', '--titles', 'titles.csv', ...flags);
});

const rated = async (user: string) =>
  ratingsCsv()
    .split('\n')
    .filter((line) => line.startsWith(`${user},`))
    .map((line) => line.split(',')[1]);

describe('recommend', () => {
  test('lists the items of the highest scores, with the ratings that it predicts', async () => {
    const best: Row[] = await json('recommend', 'plain', '--user', 'u1', '-k', '20', '--include-seen');
    const predicted: { item: string; rating: number }[] = [];
    for (const { item } of best)
      predicted.push(...(await json('predict', 'plain', '--user', 'u1', '--item', item)));
    for (const [index, { item, rating }] of best.entries()) {
      expect(predicted[index].item).toBe(item);
      expect(predicted[index].rating).toBeCloseTo(rating, 5);
    }
    const scores = best.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(new Set(best.map(({ item }) => item)).size).toBe(20);
  });

  test('leaves out what the user rated, if the model or a file knows it', async () => {
    const own = await rated('u1');
    const rest: Row[] = await json('recommend', 'full', '--user', 'u1', '-k', '99');
    expect(rest.map(({ item }) => item)).toHaveLength(20 - own.length);
    for (const { item } of rest) expect(own).not.toContain(item);
    expect(await json('recommend', 'full', '--user', 'u1', '-k', '99', '--include-seen')).toHaveLength(20);
    const excluded = await json('recommend', 'plain', '--user', 'u1', '-k', '99', '--exclude', 'ratings.csv');
    expect(excluded.map(({ item }: Row) => item)).toEqual(rest.map(({ item }) => item));
    await write('items.txt', `${rest[0].item}\n${rest[1].item}\nunheard of\n`);
    const fewer = await json('recommend', 'full', '--user', 'u1', '-k', '1', '--exclude', 'items.txt');
    expect(fewer).toEqual([rest[2]]);
  });

  test('prints a table, with titles where there are some', async () => {
    const rows: Row[] = await json('recommend', 'full', '--user', 'u3', '-k', '20', '--include-seen');
    const lines = (await text('recommend', 'full', '--user', 'u3', '-k', '20', '--include-seen'))
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(20);
    for (const [index, { item, title, rating }] of rows.entries()) {
      expect(lines[index].startsWith(item)).toBe(true);
      expect(lines[index].endsWith(` ${rating.toFixed(2)}`)).toBe(true);
      expect(title).toBe(titles[Number(item.slice(1))]);
      if (title && !title.includes('\n')) expect(lines[index]).toContain(title);
    }
    // Items without a title leave their cell empty.
    expect(new Set(rows.map(({ title }) => title === undefined)).size).toBe(2);
    expect(new Set(lines.map((line) => stringWidth(line))).size).toBe(1);
  });

  test('answers several users, and says who is known', async () => {
    const flags = ['-k', '2'];
    const [one] = [await json('recommend', 'full', '--user', 'u1', ...flags)];
    const { stdout, stderr } = await here(
      ...['recommend', 'full', '--user', 'u1', '--user', 'new', '--json', ...flags],
    );
    const several = JSON.parse(stdout);
    expect(several).toEqual([
      { user: 'u1', known: true, recommended: one },
      { user: 'new', known: false, recommended: expect.any(Array) },
    ]);
    expect(stderr).toBe('1 user unknown to the model, recommended what is popular: "new"\n');
    const printed = await here('recommend', 'full', '--user', 'u1', '--user', 'new', ...flags);
    expect(printed.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      ...['User', ...several[0].recommended.map(({ item }: Row) => item), ''],
      ...['User', ...several[1].recommended.map(({ item }: Row) => item), ''],
    ]);
    expect(printed.stdout).toMatch(/^User u1\n.*\n\nUser new, unknown to the model\n/s);
  });

  test('says that it cannot leave out what the user rated', async () => {
    const { stderr } = await here('recommend', 'plain', '--user', 'u1');
    expect(stderr).toMatch(
      /^The model does not store what users rated, so .* --exclude FILE, or .* --seen\n$/,
    );
    const whole = ['recommend', 'plain', '--user', 'u1', '--exclude', 'ratings.csv'];
    expect((await here(...whole)).stderr).toBe('');
  });

  test('takes titles in place of ids in a file', async () => {
    await write('titled.csv', 'item,rating\n"cafe, the film",5\n東京物語,1\n');
    const { stdout, stderr } = await here('recommend', 'full', '--ratings', 'titled.csv', '--json');
    expect(stderr).toBe('By title: i0 ""Café", the film", i1 "東京物語"\n');
    await write('by-id.csv', 'item,rating\ni0,5\ni1,1\n');
    expect(JSON.parse(stdout)).toEqual(await json('recommend', 'full', '--ratings', 'by-id.csv'));
  });

  test('gives an unknown user what is popular, with a note', async () => {
    const { stdout, stderr, code } = await here('recommend', 'full', '--user', 'new', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(10);
    expect(stderr).toBe('1 user unknown to the model, recommended what is popular: "new"\n');
  });

  test.each([
    ['with a header', 'item,rating\ni0,5\ni1,1\n'],
    ['without one', 'i0,5\ni1,1\n'],
    ['of tabs and decimal commas', 'item\trating\ni0\t5,0\ni1\t1,0\n'],
    ['of a user among the columns', 'me,i0,5,1000\nme,i1,1,1000\n'],
    ['with an earlier rating of an item', 'item,rating,timestamp\ni0,1,5\ni0,5,9\ni1,1,7\n'],
  ])('takes the ratings of a person it has never seen: a file %s', async (_, content) => {
    await write('mine.csv', content);
    const best: Row[] = await json('recommend', 'plain', '--ratings', 'mine.csv', '-k', '99');
    expect(best).toHaveLength(18);
    for (const { item } of best) expect(['i0', 'i1']).not.toContain(item);
    await write('usual.csv', 'item,rating\ni0,5\ni1,1\n');
    expect(best).toEqual(await json('recommend', 'plain', '--ratings', 'usual.csv', '-k', '99'));
    await write(
      'rest.txt',
      best
        .slice(1)
        .map(({ item }) => item)
        .join('\n'),
    );
    expect(await json('recommend', 'plain', '--ratings', 'mine.csv', '--exclude', 'rest.txt')).toEqual([
      best[0],
    ]);
  });

  test('ignores unknown items, with a note', async () => {
    await write('mine.csv', 'item,rating\ni0,5\nunheard of,1\n');
    const { stderr, code } = await here('recommend', 'plain', '--ratings', 'mine.csv');
    expect({ stderr, code }).toEqual({
      stderr: '1 item unknown to the model, ignored: "unheard of"\n',
      code: 0,
    });
    await write('mine.csv', 'item,rating\nunheard of,1\n');
    expect(await failure('recommend', 'plain', '--ratings', 'mine.csv')).toContain(
      'does not know any of its items',
    );
  });

  test('excludes the items of the user who is asked for, whatever the ids of others', async () => {
    const [first] = (await json('recommend', 'plain', '--user', 'u1', '-k', '1', '--include-seen')) as Row[];
    await write('others.csv', `user,item\n-,${first.item}\n`);
    expect(await json('recommend', 'plain', '--user', 'u1', '-k', '1', '--exclude', 'others.csv')).toEqual([
      first,
    ]);
    await write('none.csv', 'item\n');
    expect(await json('recommend', 'plain', '--user', 'u1', '-k', '1', '--exclude', 'none.csv')).toEqual([
      first,
    ]);
  });

  test('says so when nothing is left', async () => {
    await write('all.csv', `item\n${Array.from({ length: 20 }, (_, row) => `i${row}`).join('\n')}\n`);
    const { stdout, stderr, code } = await here('recommend', 'plain', '--user', 'u1', '--exclude', 'all.csv');
    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr: 'There is nothing left to recommend\n',
      code: 0,
    });
  });

  test('refuses bad arguments in one line', async () => {
    expect(await failure('recommend', 'plain', '--ratings', 'ratings.csv')).toContain(
      'has ratings by 30 users',
    );
    await write('own.csv', 'item,rating\ni0,5\n');
    expect(await failure('recommend', 'plain', '--ratings', 'own.csv', '--include-seen')).toContain(
      'is for --user',
    );
    expect(await failure('recommend', 'plain', '--ratings', 'own.csv', '--exclude', 'ratings.csv')).toContain(
      'has a column of users',
    );
    await write('own.csv', 'item,rating\ni0,6\n');
    expect(await failure('recommend', 'plain', '--ratings', 'own.csv')).toContain('ratings from 1 to 5');
    await write('odd.csv', 'what,how,much\ni0,5,1\n');
    expect(await failure('recommend', 'plain', '--ratings', 'odd.csv')).toContain(
      'name the right ones with --item-column, --rating-column',
    );
    await write('own.csv', 'thing,grade\ni0,5\n');
    expect(await failure('recommend', 'plain', '--ratings', 'own.csv')).toContain(
      'the columns are "thing", "grade"; name the right ones with --item-column, --rating-column',
    );
    const named = ['--item-column', 'thing', '--rating-column', 'grade'];
    const list: Row[] = await json('recommend', 'plain', '--ratings', 'own.csv', ...named);
    expect(list).toHaveLength(10);
    expect(await failure('predict', 'plain', 'odd.csv')).toContain('with --user-column, --item-column');
    expect(await failure('recommend', 'plain')).toContain('give --user, or a file with --ratings');
    for (const k of [
      '0',
      '-0',
      '-1',
      '1152921504606846976',
      '1000000001',
      '1e400',
      '5.5',
      '1_0',
      '',
      'NaN',
      '5,6',
    ])
      for (const args of [
        ['recommend', 'plain', '--user', 'u1'],
        ['similar', 'plain', '--item', 'i1'],
        ['batch', 'plain', '--out', 'top.csv'],
        ['cross-validate', 'ratings.csv'],
        ['compare', 'ratings.csv'],
        ...(k === '5,6' ? [] : [['evaluate', 'plain', 'ratings.csv']]),
      ])
        expect(await failure(...args, '-k', k)).toMatch(
          `argument '${k}' is invalid. Give a whole number from 1 to 1,000,000,000.`,
        );
    // As everywhere, any form of the number.
    for (const [k, length] of [
      ['0x3', 3],
      ['1e3', 20],
      [' 5', 5],
      ['1000000000', 20],
    ] as const)
      expect(await json('recommend', 'plain', '--user', 'u1', '-k', k, '--include-seen')).toHaveLength(
        length,
      );
    expect(await failure('recommend', 'plain', '--user', 'u1', '--exclude', 'missing.csv')).toContain(
      'no such file',
    );
    await write('mine.csv', 'item,rating\ni0,good\n');
    expect(await failure('recommend', 'plain', '--ratings', 'mine.csv')).toContain('line 2');
    await write('mine.csv', 'item,stars,when\ni0,,3\n');
    expect(await failure('recommend', 'plain', '--ratings', 'mine.csv')).toContain('line 2');
  });
});

describe('similar', () => {
  test('lists the nearest items, without the item itself', async () => {
    const nearest: { item: string; similarity: number }[] = await json(
      'similar',
      'full',
      '--item',
      'i0',
      '-k',
      '99',
    );
    expect(nearest).toHaveLength(19);
    expect(nearest.map(({ item }) => item)).not.toContain('i0');
    const similarities = nearest.map(({ similarity }) => similarity);
    expect(similarities).toEqual(similarities.toSorted((a, b) => b - a));
    const [first] = (await text('similar', 'full', '--item', 'i0')).split('\n');
    expect(first.startsWith(nearest[0].item)).toBe(true);
  });

  test('lists the nearest items of each of several', async () => {
    const lists = await json('similar', 'full', '--item', 'i0', '--item', 'i9', '-k', '3');
    expect(lists).toEqual([
      { item: 'i0', title: titles[0], similar: await json('similar', 'full', '--item', 'i0', '-k', '3') },
      { item: 'i9', similar: await json('similar', 'full', '--item', 'i9', '-k', '3') },
    ]);
    const printed = await text('similar', 'full', '--item', 'i0', '--item', 'i9', '-k', '1');
    expect(printed).toMatch(/^i0 {2}"Café", the film\n.*\n\ni9 *\n.*\n$/);
  });

  test('refuses an item that it does not know', async () =>
    expect(await failure('similar', 'full', '--item', 'none\nsuch')).toContain('"none\\nsuch"'));
});

describe('batch', () => {
  test('writes the best items of every user, as Parquet and as CSV', async () => {
    expect(await text('batch', 'full', '--out', 'top.parquet', '-k', '3')).toMatch(
      /^Wrote the best 3 for 30 users to top.parquet in [\d.]+ s\n$/,
    );
    await text('batch', 'full', '--out', 'top.csv', '-k', '3');
    const { users, items } = await readPairs(at('top.parquet'));
    expect(await readPairs(at('top.csv'))).toEqual({ users, items });
    expect(users).toHaveLength(90);
    const { ratings } = (await readRatings(at('top.parquet'))).ratings;
    for (const user of ['u0', 'u29']) {
      const indices = [...users.keys()].filter((index) => users[index] === user);
      const alone: Row[] = await json('recommend', 'full', '--user', user, '-k', '3');
      expect(indices.map((index) => items[index])).toEqual(alone.map(({ item }) => item));
      for (const [rank, index] of indices.entries())
        expect(ratings[index]).toBeCloseTo(alone[rank].rating, 5);
    }
    expect((await readFile(at('top.csv'), 'utf8')).split('\n').slice(0, 2)).toEqual([
      'user,rank,item,score,rating',
      expect.stringMatching(/^u0,1,i\d+,-?[\d.]+,[\d.]+$/),
    ]);
    expect((await names()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('leaves out the items that a file lists for each user', async () => {
    await text('batch', 'plain', '--out', 'left.csv', '-k', '3', '--exclude', 'ratings.csv');
    await text('batch', 'full', '--out', 'kept.csv', '-k', '3');
    expect(await readPairs(at('left.csv'))).toEqual({
      users: (await readPairs(at('kept.csv'))).users,
      items: expect.any(Array),
    });
    for (const user of ['u0', 'u17']) {
      const { users, items } = await readPairs(at('left.csv'));
      const own = await rated(user);
      for (const [index, id] of users.entries()) if (id === user) expect(own).not.toContain(items[index]);
    }
  });

  test('takes a list of users, each once, unknown ones too', async () => {
    await write('users.csv', 'users\nu2\nnew\nu2\n');
    const { stderr, code } = await here(
      'batch',
      'full',
      'users.csv',
      '--out',
      'some.csv',
      '-k',
      '2',
      '--include-seen',
    );
    expect({ stderr, code }).toEqual({
      stderr: '1 user unknown to the model, recommended what is popular: "new"\n',
      code: 0,
    });
    expect((await readPairs(at('some.csv'))).users).toEqual(['u2', 'u2', 'new', 'new']);
  });

  test('writes only the file that is asked for', async () => {
    await write('users.csv', 'u2\n');
    expect(await failure('batch', 'full', 'users.csv', '--out', 'users.csv')).toContain(
      'is read, and would be lost',
    );
    expect(await failure('batch', 'full', '--out', 'top.txt')).toContain('.csv or a .parquet');
    expect(await failure('batch', 'full', 'missing.csv', '--out', 'top.csv')).toContain('no such file');
    expect(await failure('batch', 'full', '--out', 'none/top.csv')).toContain(
      'its folder does not exist; make it',
    );
  });
});

test('a model that lacks what the one before it had says so', async () => {
  await text('train', 'ratings.csv', '--out', 'again', '--seen', '--titles', 'titles.csv', '--epochs', '1');
  const { stderr, code } = await here(
    'train',
    'ratings.csv',
    '--out',
    'again',
    '--titles',
    'titles.csv',
    '--epochs',
    '1',
    '--no-seen',
  );
  expect({ stderr, code }).toEqual({
    stderr:
      'The previous model in again had the items that users have, which this one does not have; use --seen to store them\n',
    code: 0,
  });
});

test('titles of other items are a mistake', async () => {
  await write('foreign.csv', 'id,title\nx,Y\n');
  expect(await failure('train', 'ratings.csv', '--out', 'titled', '--titles', 'foreign.csv')).toContain(
    'has no title for any of the 20 items',
  );
});

describe('smaller files', () => {
  test.each(['float16', 'int8'])('--quantize %s predicts nearly the same', async (type) => {
    const flags = ['--objective', 'rating', '--factors', '300', '--epochs', '2'];
    await text('train', 'ratings.csv', '--out', type, '--quantize', type, ...flags);
    expect((await manifest(type)).precision).toBe(type);
    await text('train', 'ratings.csv', '--out', 'whole', ...flags);
    const [small, whole] = await Promise.all([type, 'whole'].map(async (out) => (await manifest(out)).files));
    for (const file of ['predict.onnx', 'recommend.onnx', 'similar.onnx'])
      expect(small[file].bytes / whole[file].bytes).toBeLessThan(type === 'int8' ? 0.4 : 0.6);
    const { rmse } = await json('evaluate', type, 'ratings.csv');
    expect(rmse).toBeCloseTo((await json('evaluate', 'whole', 'ratings.csv')).rmse, 3);
  });
});

describe('export', () => {
  test('adds versions to a Triton model repository', async () => {
    const heads = ['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many', 'factors'];
    expect(await text('export', 'plain', '--triton', 'repository')).toBe(
      heads.map((head) => `Wrote repository/plain.${head}/1/model.onnx\n`).join(''),
    );
    await text('export', 'plain', '--triton', 'repository');
    for (const head of heads) {
      const bytes = await readFile(at('plain', `${head}.onnx`));
      for (const version of ['1', '2'])
        expect(await readFile(at('repository', `plain.${head}`, version, 'model.onnx'))).toEqual(bytes);
    }
    expect(
      await readFile(at('repository/plain.recommend/config.pbtxt'), 'utf8'),
    ).toBe(`name: "plain.recommend"
backend: "onnxruntime"
max_batch_size: 0
input { name: "user" data_type: TYPE_STRING dims: [ -1 ] }
input { name: "k" data_type: TYPE_INT64 dims: [ 1 ] }
input { name: "exclude" data_type: TYPE_STRING dims: [ -1, -1 ] }
output { name: "item" data_type: TYPE_STRING dims: [ -1, -1 ] }
output { name: "score" data_type: TYPE_FP32 dims: [ -1, -1 ] }
output { name: "rating" data_type: TYPE_FP32 dims: [ -1, -1 ] }
`);
    expect(await failure('export', 'plain', '--triton', 'ratings.csv')).toContain(
      'cannot be opened (ENOTDIR)',
    );
    expect(await failure('export', 'plain', '--triton', '')).toContain('the repository is ""; give a path');
  });

  test('leaves versions of other shapes as they are', async () => {
    await text('export', 'plain', '--triton', 'shapes');
    await text('train', 'ratings.csv', '--out', 'wide/plain', '--factors', '7', '--epochs', '1');
    const before = await contents('shapes');
    expect(await failure('export', 'wide/plain', '--triton', 'shapes')).toContain(
      'has other inputs and outputs than this model',
    );
    expect(await contents('shapes')).toEqual(before);
  });
});
