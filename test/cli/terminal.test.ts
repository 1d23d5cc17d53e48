import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { buildModel, encodeModel, input, sigmoid } from '../../src/onnx/index.ts';
import { serve } from '../../src/serve/serve.ts';
import { type Run, workplace } from '../support/cli.ts';
import { sha256 } from '../support/sha256.ts';

const { write, at, here, manifest, cofactor } = workplace();

/** What must not reach a terminal: but for line breaks and tabs, all that controls it, reorders its text, or is not seen. */
const HOSTILE = new RegExp(
  [
    ...[
      '\\0-\\x08',
      '\\x0b-\\x1f',
      '\\x7f-\\x9f',
      '\\xad',
      '\\u061c',
      '\\u180e',
      '\\u200b',
      '\\u200e',
      '\\u200f',
    ],
    ...['\\u2028-\\u202e', '\\u2060-\\u206f', '\\ufeff', '\\ufff9-\\ufffb', '\\u{e0000}-\\u{e00ff}'],
  ]
    .map((range) => `[${range}]`)
    .join('|'),
  'u',
);
/** Not in the first line of a file, which would be no text. */
const CONTROLS = '\x1b[31m\x1b]0;x\x07\b\x7f';
const MARKS = '\x9b2J\x85\u202e\u2066\u200f\u061c\u2028\u2063factors\u2063\ufeff\u{e0041}';
const EVIL = `a${CONTROLS}${MARKS}z`;
const MARKED = `a${MARKS}z`;
/** Formed by joiners and a variation selector. */
const GOOD = 'می‌خواهم 👩‍🚀 ❤️';

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const users = ['u1', 'u2', 'u3', EVIL];
const items = ['i1', 'i2', 'i3', `i${EVIL}`];
const rows = users.flatMap((user, at) => items.map((item, turn) => [user, item, 1 + ((at + turn) % 5)]));

beforeAll(async () => {
  const lines = rows.map(
    ([user, item, rating]) => `${quoted(String(user))},${quoted(String(item))},${rating},x`,
  );
  await write('evil.csv', `user,item,rating,${MARKED}\n${lines.join('\n')}\n`);
  await write(
    `${EVIL}.csv`,
    `user,item,rating\n${lines
      .slice(0, -1)
      .map((line) => line.slice(0, -2))
      .join('\n')}\n`,
  );
  await write(
    'titles.csv',
    `item,title\n${items.map((item) => `${quoted(item)},${quoted(`${EVIL}\nx\ty`)}`).join('\n')}\n`,
  );
  await write('bad.csv', `user,item,rating\na,b,${EVIL}\n`);
  await write('good-titles.csv', `item,title\ni1,${GOOD}\n`);
  const trained = await here(
    'train',
    'evil.csv',
    '--titles',
    'titles.csv',
    '--out',
    'model',
    '--factors',
    '2',
  );
  expect(trained).toMatchObject({ code: 0 });
  await evilModel();
});

/** A copy of the model whose manifest, metadata and names of nodes and tensors are hostile. */
async function evilModel(): Promise<void> {
  await cp(at('model'), at(EVIL), { recursive: true });
  const x = input(`x${EVIL}`, 'float', ['n']);
  const built = buildModel({ name: EVIL, inputs: [x], outputs: { [`y${EVIL}`]: sigmoid(x) } });
  const bytes = encodeModel({ ...built, producer: EVIL, metadata: { [EVIL]: `${EVIL}\nb` } });
  await writeFile(at(EVIL, 'predict.onnx'), bytes);
  const { files, ...others } = await manifest('model');
  const evil = { ...files, 'predict.onnx': { bytes: bytes.length, sha256: sha256(bytes) } };
  const text = JSON.stringify({ ...others, files: evil, libraries: { [EVIL]: EVIL }, cofactor: EVIL });
  await writeFile(at(EVIL, 'manifest.json'), text);
}

const cases: [name: string, args: string[]][] = [
  [
    'train',
    [
      'train',
      `${EVIL}.csv`,
      '--out',
      `out${EVIL}`,
      '--factors',
      '2',
      '--titles',
      'titles.csv',
      '--valid',
      '0.3',
    ],
  ],
  ['train --dry-run', ['train', 'evil.csv', '--dry-run']],
  ['evaluate', ['evaluate', 'model', `${EVIL}.csv`]],
  ['compare', ['compare', `${EVIL}.csv`, '--folds', '2']],
  ['recommend', ['recommend', 'model', '--user', 'u1', '--include-seen']],
  ['recommend, unknown', ['recommend', 'model', '--user', `${EVIL}?`]],
  ['recommend, a file', ['recommend', 'model', '--ratings', `${EVIL}.csv`]],
  ['similar', ['similar', 'model', '--item', 'i1']],
  ['similar, unknown', ['similar', 'model', '--item', `${EVIL}?`]],
  ['predict', ['predict', 'model', 'evil.csv']],
  ['batch', ['batch', 'model', '--out', `${EVIL}-top.csv`]],
  ['report', ['report', 'model', '--out', `${EVIL}.html`]],
  ['export', ['export', 'model', '--triton', `${EVIL}-repository`]],
  ['inspect', ['inspect', EVIL]],
  ['inspect, a file', ['inspect', `${EVIL}/predict.onnx`]],
  ['another model', ['recommend', EVIL, '--user', 'u1']],
  ['no such folder', ['recommend', `no${EVIL}`, '--user', 'u1']],
  ['no such file', ['train', `no${EVIL}`]],
  ['a bad row', ['train', 'bad.csv']],
  ['no such column', ['train', 'evil.csv', '--user-column', EVIL]],
  ['no such flag', ['train', `--no${EVIL}`]],
  ['no such command', [EVIL]],
  ['a value that does not fit', ['train', 'evil.csv', '--epochs', EVIL]],
  ['too many arguments', ['similar', 'model', EVIL]],
  ['a config file', ['train', 'evil.csv', '--config', `${EVIL}.json`, '--print-config']],
  ['a config file with a bad key', ['train', 'evil.csv', '--config', 'key.json']],
  ['a config file that throws', ['train', 'evil.csv', '--config', 'throws.mjs']],
];

/** The commands with `--json`. */
const WITH_JSON = /^(train( --dry-run)?|evaluate|compare|recommend|similar|predict|inspect|report)\b/;

test.each([
  ...cases,
  ...cases
    .filter(([name]) => WITH_JSON.test(name))
    .map(([name, args]): (typeof cases)[number] => [`${name}, --json`, [...args, '--json']]),
])('%s writes nothing that a terminal must not get', async (_, args) => {
  await write(`${EVIL}.json`, JSON.stringify({ userColumn: 'user', titles: EVIL }));
  await write('key.json', JSON.stringify({ [EVIL]: 1 }));
  await write('throws.mjs', `throw new Error(${JSON.stringify(EVIL)})`);
  const { code, stdout, stderr } = await here(...args);
  expect(hostileIn({ code, stdout, stderr })).toEqual([]);
  expect(stdout + stderr).not.toBe('');
  expect(stderr).not.toMatch(/this is a bug/);
});

const hostileIn = ({ stdout, stderr }: Run): string[] =>
  [...stdout.split('\n'), ...stderr.split('\n')]
    .filter((line) => HOSTILE.test(line))
    .map((line) => JSON.stringify(line));

test('in JSON all values are as they were', async () => {
  const { stdout } = await here('predict', 'model', 'evil.csv', '--json');
  const list: { user: string; item: string }[] = JSON.parse(stdout);
  expect(list.map(({ user, item }) => [user, item])).toEqual(rows.map(([user, item]) => [user, item]));
  const printed = JSON.parse(
    (await here('train', 'evil.csv', '--no-config', '--titles', EVIL, '--print-config')).stdout,
  );
  expect(printed.titles).toBe(EVIL);
});

test('predictions that are printed say which ids are not as they were; a file has them', async () => {
  const { stderr } = await here('predict', 'model', 'evil.csv');
  expect(stderr).toMatch(
    /^2 ids with characters that a terminal must not get, shown as \ufffd; --json and --out have them$/m,
  );
  await here('predict', 'model', 'evil.csv', '--out', 'exact.csv');
  expect(await readFile(at('exact.csv'), 'utf8')).toContain(EVIL);
});

test('a table keeps its form whatever is in a cell, and what joins letters stays', async () => {
  const { stdout } = await here('recommend', 'model', '--user', 'u1', '--include-seen');
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  for (const line of lines) expect(line).toMatch(/ x y +\d\.\d\d$/);
  await here('train', 'evil.csv', '--titles', 'good-titles.csv', '--out', 'good', '--factors', '2');
  expect((await here('recommend', 'good', '--user', 'u1', '--include-seen')).stdout).toContain(GOOD);
});

test('an error names no option that is only in the text of a file', () => {
  const error = new UserError('data', `\u2063: bad \u2063seen\u2063 \u2063`);
  expect(error.message).toBe(`\ufffd: bad \`seen\` \ufffd`);
  expect(new UserError('data', error.marked).message).toBe(error.message);
});

test('the program as it is built writes nothing of the kind', async () => {
  const failed = await cofactor('serve', `no${EVIL}`);
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(hostileIn(failed)).toEqual([]);
});

test('the log of a server has escapes', async () => {
  const name = `served${EVIL}`;
  await cp(at('model'), at(name), { recursive: true });
  let log = '';
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    log += text;
    return true;
  });
  try {
    const server = await serve([at(name)], { port: 0, logLevel: 'info' });
    await writeFile(at(name, 'manifest.json'), `{"format": 99, "${EVIL}`);
    await expect.poll(() => log).toMatch(/refused|manifest/);
    await server.close();
  } finally {
    spy.mockRestore();
  }
  expect(log).toMatch(/\\u202e/);
  expect(hostileIn({ code: 0, stdout: log, stderr: '' })).toEqual([]);
  expect(
    log
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).level),
  ).not.toEqual([]);
});

test('only these files write to the terminal', async () => {
  const folder = new URL('../../src/', import.meta.url);
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.tsx?$/.test(name));
  const writers: string[] = [];
  for (const name of names)
    if (/process\.std(out|err)\b|console\./.test(await readFile(new URL(name, folder), 'utf8')))
      writers.push(name);
  expect(writers.sort()).toEqual([
    'cli/main.ts',
    'cli/output.ts',
    'cli/progress.ts',
    'serve/app.ts',
    'web.ts',
  ]);
});
