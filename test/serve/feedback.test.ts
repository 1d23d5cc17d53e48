import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRatings } from '../../src/data/read/read.ts';
import { serve } from '../../src/serve/serve.ts';
import { program } from '../support/cli.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { interactionsCsv, served } from '../support/served.ts';
import { runs } from '../support/soak.ts';

const run = promisify(execFile);
const movies = served({ collects: true });
const shop = served({ collects: true, csv: interactionsCsv() });
const quiet = served();
const { post } = movies;

const folderOf = ({ folder }: typeof movies) => join(folder.path, 'feedback', 'movies');

/** All events that a server has stored. */
async function stored(server: typeof movies) {
  const names = await readdir(folderOf(server));
  const texts = await Promise.all(
    names.toSorted().map((name) => readFile(join(folderOf(server), name), 'utf8')),
  );
  return texts
    .join('')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

test('nothing is created before the first event', async () => {
  expect(await post('/feedback', { user: 'u1', item: ' i1', value: 4 })).toMatchObject({ status: 400 });
  expect(await post('/feedback', { events: [] })).toMatchObject({ status: 200, body: { stored: 0 } });
  expect(existsSync(join(movies.folder.path, 'feedback'))).toBe(false);
});

describe('events', () => {
  test('are stored one by one and together, with the time of now if they have none', async () => {
    const before = Date.now();
    expect(await post('/feedback', { user: 'alone', item: 'new item', value: 4.5 })).toMatchObject({
      status: 200,
      body: { stored: 1 },
    });
    const events = [
      { user: 'both', item: 'i1', value: 1, time: 1_700_000_000.25 },
      { user: 'both', item: 'i2', value: 5, time: 0 },
    ];
    expect(await post('/feedback?model=movies', { events })).toMatchObject({ body: { stored: 2 } });
    const all = await stored(movies);
    const [alone] = all.filter(({ user }) => user === 'alone');
    expect(alone).toEqual({ user: 'alone', item: 'new item', rating: 4.5, time: expect.any(String) });
    expect(Date.parse(alone.time)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(alone.time)).toBeLessThanOrEqual(Date.now());
    expect(all.filter(({ user }) => user === 'both')).toEqual([
      { user: 'both', item: 'i1', rating: 1, time: '2023-11-14T22:13:20.250Z' },
      { user: 'both', item: 'i2', rating: 5, time: '1970-01-01T00:00:00.000Z' },
    ]);
    const { ratings } = await readRatings(folderOf(movies));
    const times = ratings.userIds.flatMap((user, row) =>
      user === 'both' ? [...(ratings.times ?? [])].filter((_, at) => ratings.users[at] === row) : [],
    );
    expect(times).toEqual([1_700_000_000.25, 0]);
  });

  test('of interactions have counts', async () => {
    const events = [
      { user: 'u1', item: 'i1' },
      { user: 'u1', item: 'i2', value: 2.5 },
    ];
    expect(await shop.post('/feedback', { events })).toMatchObject({ status: 200, body: { stored: 2 } });
    expect(await stored(shop)).toMatchObject([
      { user: 'u1', item: 'i1', count: 1 },
      { user: 'u1', item: 'i2', count: 2.5 },
    ]);
  });

  test('that come at once are all stored, in whole lines', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        post('/feedback', { user: `at once ${at}`, item: 'i1', value: 3 }),
      ),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const users = (await stored(movies)).map(({ user }) => user).filter((user) => user.startsWith('at once'));
    expect(new Set(users).size).toBe(200);
    expect(users).toHaveLength(200);
  });

  test('are counted', async () => {
    const metrics = await (await fetch(`${shop.url}/metrics`)).text();
    expect(metrics).toMatch(/^cofactor_feedback_events_total\{model="movies"\} \d+$/m);
  });
});

const odd = [
  '007',
  '=1+1',
  'a,b',
  'say "x"',
  'two\nlines',
  'a\r\nb',
  '#',
  'sep=;',
  '{}',
  '\\N\\',
  '\ufeff.',
  'x'.repeat(5000),
];
const unread = [
  '',
  ' ',
  ' a',
  'a\n',
  '\u00a0a',
  'a\ufeff',
  'NULL',
  'NaN',
  'null',
  'n/a',
  'None',
  '\\N',
  'undefined',
];

describe('an id', () => {
  test('is read as it was sent', async () => {
    const texts = fc.sample(fc.string({ unit: 'grapheme', minLength: 1 }), runs(300, 20_000));
    const binary = fc.sample(fc.string({ unit: 'binary', minLength: 1 }), runs(300, 20_000));
    const ids = [...new Set([...odd, ...texts, ...binary])].filter((id) => !/\0|\p{Surrogate}/u.test(id));
    const sent: string[] = [];
    for (const [server, value] of [
      [movies, 3],
      [shop, 1],
    ] as const) {
      for (let at = 0; at < ids.length; at += 500) {
        const some = ids.slice(at, at + 500).filter((id) => id === id.trim() && !unread.includes(id));
        const events = some.map((id) => ({ user: id, item: `${id}!`, value }));
        expect(await server.post('/feedback', { events })).toMatchObject({ status: 200 });
        sent.push(...some);
      }
      const { ratings } = await readRatings(folderOf(server));
      const [users, items] = [new Set(ratings.userIds), new Set(ratings.itemIds)];
      expect(sent.filter((id) => !users.has(id) || !items.has(`${id}!`))).toEqual([]);
      expect(ratings.kind).toBe(server === movies ? 'ratings' : 'interactions');
    }
  });

  test.each(unread)('%j is refused, because it would be read as another, or as none', async (id) => {
    for (const event of [
      { user: id, item: 'i1' },
      { user: 'u1', item: id },
    ])
      expect(await shop.post('/feedback', event)).toMatchObject({
        status: 400,
        body: {
          error: expect.stringMatching(
            /^(user|item) (has white space at an end|is ".*", which training takes for a missing id)/,
          ),
        },
      });
  });
});

describe('refused', () => {
  const event = { user: 'u1', item: 'i1', value: 4 };
  test.each<[string, unknown, string]>([
    [
      'no value',
      { user: 'u1', item: 'i1' },
      '^there is no value; the model was trained on ratings, so give one$',
    ],
    ['one without value', { events: [event, { user: 'u1', item: 'i1' }] }, '^there is no events.1.value; '],
    [
      'a value too high',
      { ...event, value: 6 },
      'the rating of "i1" is 6; the model was trained on ratings from 1 to 5',
    ],
    ['a value too low', { events: [event, { ...event, value: 0 }] }, 'the rating of "i1" is 0'],
    ['a text as value', { ...event, value: '4' }, 'value must be a number'],
    ['a number as user', { ...event, user: 7 }, 'user must be a text'],
    ['milliseconds', { ...event, time: Date.now() }, '^time is .*; give seconds since 1970, up to now$'],
    ['a time before 1970', { events: [{ ...event, time: -1 }] }, '^events.0.time is -1'],
    ['another key', { ...event, rating: 4 }, 'must not have rating'],
    ['no item', { user: 'u1' }, '^send one event, '],
    ['one without item', { events: [event, { user: 'u1', value: 1 }] }, 'events.1 has no item'],
    ['one and several', { ...event, events: [event] }, '^send one event, '],
    [
      'too many',
      { events: Array.from({ length: 1001 }, () => event) },
      'events must have at most 1000 entries',
    ],
    ['a list', '[]', 'the body must be a JSON object'],
    ['a NUL', '{"user":"a\\u0000","item":"i1","value":4}', 'NUL'],
  ])('%s', async (_, body, message) => {
    const before = await stored(movies);
    expect(await post('/feedback', body)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(message) },
    });
    expect(await stored(movies)).toEqual(before);
  });

  test.each([0, -1, 1e-60])('the strength %d of an interaction', async (value) => {
    expect(await shop.post('/feedback', { user: 'u1', item: 'i1', value })).toMatchObject({
      status: 400,
      body: { error: `value is ${value}; give how often or how much, a 32-bit number above 0` },
    });
  });

  test('for a model that is not served, and without a folder', async () => {
    expect(await post('/feedback?model=../x', event)).toMatchObject({ status: 404 });
    expect(await quiet.post('/feedback', event)).toMatchObject({ status: 404 });
    const describes = async ({ get }: typeof movies) =>
      '/feedback' in (await get('/openapi.json')).body.paths;
    expect([await describes(movies), await describes(quiet)]).toEqual([true, false]);
  });
});

test('training reads the folder, alone and beside the first data', async () => {
  for (const [server, objective] of [
    [movies, 'both'],
    [shop, 'ranking'],
  ] as const) {
    const events = Array.from({ length: 100 }, (_, at) => ({
      user: `u${at % 10}`,
      item: `i${at % 9}`,
      ...(server === movies && { value: 1 + (at % 5) }),
    }));
    await server.post('/feedback', { events });
    const train = async (...data: string[]) => {
      const flags = ['--out', 'again', '--json', '--factors', '2', '--epochs', '1', '--model', 'dot-bias'];
      const { stdout } = await run(process.execPath, [program, 'train', ...data, ...flags], {
        cwd: server.folder.path,
      });
      return JSON.parse(stdout);
    };
    const alone = await train('feedback/movies');
    expect(alone).toMatchObject({ objective });
    if (server === movies)
      expect((await train('ratings.csv', 'feedback/movies')).users).toBeGreaterThan(alone.users);
  }
});

describe('a server', () => {
  const folder = temporaryFolder();

  test('that closes stores what it has accepted', async () => {
    const server = await serve(movies.directory, {
      port: 0,
      logLevel: 'silent',
      page: false,
      feedback: folder.path,
    });
    const sent = Array.from({ length: 50 }, (_, at) =>
      fetch(`${server.url}/feedback`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user: `u${at}`, item: 'i1', value: 2 }),
      }).then(
        ({ status }) => status,
        () => 0,
      ),
    );
    await Promise.race(sent);
    await server.close();
    const accepted = (await Promise.all(sent)).filter((status) => status === 200).length;
    const [name] = await readdir(join(folder.path, 'movies'));
    expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d{6}Z-\d+-1\.jsonl$/);
    const lines = (await readFile(join(folder.path, 'movies', name), 'utf8')).trimEnd().split('\n');
    expect(accepted).toBeGreaterThan(0);
    expect(lines.length).toBeGreaterThanOrEqual(accepted);
    expect(lines.map((line) => JSON.parse(line).item)).toEqual(lines.map(() => 'i1'));
  });

  test('does not put feedback into the folder of a model', async () => {
    const feedback = movies.folder.path;
    expect(await userError(serve(movies.directory, { port: 0, logLevel: 'silent', feedback }))).toMatch(
      /^\S+movies: the feedback would be in the folder of the model; give another folder for `feedback`$/,
    );
  });

  test.each([
    ['a file', 'file', /^\S+file: is not a folder; give another folder for `feedback`$/],
    ['a folder below a file', 'file/below/it', /: cannot be opened \(ENOTDIR\); give another/],
    ['a name that is too long', 'x'.repeat(300), /: cannot be opened \(ENAMETOOLONG\); give another/],
  ])('does not start with %s', async (_, name, message) => {
    await folder.write('file', '');
    const feedback = join(folder.path, name);
    expect(await userError(serve(movies.directory, { port: 0, logLevel: 'silent', feedback }))).toMatch(
      message,
    );
  });
});
