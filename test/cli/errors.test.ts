import { cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test, vi } from 'vitest';
import { buildModel, encodeModel, input, sigmoid } from '../../src/onnx/index.ts';
import { ratingsCsv, workplace } from '../support/cli.ts';
import { sha256 } from '../support/sha256.ts';

const { write, at, names, text, failure, manifest, contents } = workplace();
const good = ratingsCsv();
const withLine = (line: string) => good.replace('\n', `\n${line}\n`);

/** Files that no model can be trained on, and what must be said. */
const bad: [name: string, content: string | Buffer, message: RegExp][] = [
  ['fields.csv', withLine('u1,i1'), /fields.csv, line 2: 2 fields where the header has 4/],
  ['quote.csv', withLine('"u1,i1,3,1'), /quote.csv, line 2/],
  ['late.csv', `${good}u1,i1\n`, /late.csv, line 362/],
  ['column.csv', good.replace('item', 'colour'), /no item column.*"colour"/],
  ['text.csv', withLine('u1,i1,good,1'), /text.csv, line 2: "good" in column "rating"/],
  ['blank.csv', withLine('u1,i1,,1'), /line 2: an empty field in column "rating"/],
  ['nan.csv', withLine('u1,i1,NaN,1'), /line 2: "NaN"/],
  ['infinity.csv', withLine('u1,i1,-inf,1'), /line 2: "-inf"/],
  ['huge.csv', withLine('u1,i1,1e99,1'), /line 2: "1e99"/],
  ['id.csv', withLine(',i1,3,1'), /line 2: an empty id/],
  ['time.csv', withLine('u1,i1,3,later'), /line 2: "later".*not a time/],
  ['one-user.csv', 'user,item,rating\na,x,1\na,y,2\n', /by one user, "a"/],
  ['one-item.csv', 'user,item,rating\na,x,1\nb,x,2\n', /of one item, "x"/],
  ['one-rating.csv', 'user,item,rating\na,x,3\nb,y,3\n', /all ratings are 3/],
  ['header.csv', 'user,item,rating\n', /no ratings/],
  ['empty.csv', '', /is empty/],
  ['cut.csv.gz', gzipSync(good).subarray(0, 300), /damaged or cut off/],
  ['long.csv', withLine(`${'u'.repeat(10_000_000)},i1,3,1`), /line 2.*longer than 2 MB/],
  ['latin.csv', Buffer.from(withLine('\u00e9,i1,3,1'), 'latin1'), /line 2.*not UTF-8.*--encoding latin-1/],
  ['noise.parquet', Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(5000, 7)]), /damaged or cut off/],
  ['noise.jsonl', '{"user":"a","item":"x","rating":1}\n{"user":\n', /line 2: broken JSON/],
];

beforeAll(async () => {
  await text('train', 'ratings.csv', '--out', 'model', '--factors', '2');
  await mkdir(at('folder.csv'));
  await Promise.all(bad.map(([name, content]) => write(name, content)));
});

const noFiles: [string, RegExp][] = [
  ['folder.csv', /is a directory/],
  ['missing.csv', /no such file/],
  ['missing-*.csv', /no file matches/],
  ['model/predict.onnx', /not a text file|^cofactor: model: has model\/predict.onnx in it, which is read/],
];
const all = [...bad.map(([name, , message]): [string, RegExp] => [name, message]), ...noFiles];

test.each(all)('train %s: one line, nothing left behind, the old model untouched', async (name, message) => {
  const before = await contents();
  expect(await failure('train', name, '--out', 'new/model')).toMatch(message);
  expect(await failure('train', name, '--out', 'model')).toMatch(message);
  expect(await contents()).toEqual(before);
});

test('names that are not in UTF-8, of which two may be one, are refused', async () => {
  await mkdir(at('odd'));
  await writeFile(Buffer.concat([Buffer.from(`${at('odd')}/`), Buffer.of(0xff), Buffer.from('.csv')]), 'x');
  const before = await names();
  expect(await failure('train', 'ratings.csv', '--out', '\ufffd')).toMatch(
    /is not in UTF-8; rename the file/,
  );
  expect(await failure('train', 'odd')).toMatch(/has a name that is not in UTF-8; rename it/);
  expect(await failure('train', 'odd/*.csv')).toMatch(/matches a name that is not in UTF-8; rename that/);
  expect(await names()).toEqual(before);
  await rm(at('odd'), { recursive: true });
});

// One reader serves all commands, so a few files stand for the others.
test.each(all.filter(([name]) => /^(fields|id|empty|cut|missing\.)/.test(name)))(
  'evaluate, predict, and train --test %s: one line, and nothing is written',
  async (name, message) => {
    const before = await contents();
    expect(await failure('evaluate', 'model', name)).toMatch(message);
    expect(await failure('predict', 'model', name, '--out', 'out.csv')).toMatch(message);
    expect(await failure('train', 'ratings.csv', '--test', name, '--out', 'new', '--json')).toMatch(message);
    expect(await contents()).toEqual(before);
  },
);

/** Replaces `predict.onnx` and its sum. */
async function replacePredict(name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(at(name, 'predict.onnx'), bytes);
  const files = { 'predict.onnx': { bytes: bytes.length, sha256: sha256(bytes) } };
  await replaceManifest(name, JSON.stringify({ ...(await manifest(name)), files }));
}

const replaceManifest = (name: string, text: string) => writeFile(at(name, 'manifest.json'), text);

/** What may have happened to a model. */
const broken: [what: string, happen: (name: string) => Promise<void>, message: RegExp][] = [
  [
    'a changed byte',
    async (name) => {
      const bytes = await readFile(at(name, 'predict.onnx'));
      bytes[bytes.length >> 1] ^= 1;
      await writeFile(at(name, 'predict.onnx'), bytes);
    },
    /does not match manifest.json/,
  ],
  ['no predict.onnx', (name) => rm(at(name, 'predict.onnx')), /is missing/],
  [
    'garbage of the right sum',
    (name) => replacePredict(name, Buffer.from('no model')),
    /predict.onnx: is not an ONNX model/,
  ],
  [
    'an empty file of the right sum',
    (name) => replacePredict(name, Buffer.alloc(0)),
    /predict.onnx: is not an ONNX model/,
  ],
  [
    'another model of the right sum',
    (name) => {
      const x = input('x', 'float', ['n']);
      const file = buildModel({ name: 'other', inputs: [x], outputs: { y: sigmoid(x) } });
      return replacePredict(name, encodeModel(file));
    },
    /has no ids of users/,
  ],
  ['no manifest', (name) => rm(at(name, 'manifest.json')), /no manifest.json/],
  [
    'a predict.onnx cut off',
    async (name) => truncate(at(name, 'predict.onnx'), 99),
    /predict.onnx: has 99 of the \d+ bytes that manifest.json lists: it was cut off; copy the model's whole folder again/,
  ],
  [
    'a page in place of predict.onnx',
    (name) => writeFile(at(name, 'predict.onnx'), '<!doctype html>'),
    /predict.onnx: is a page of HTML, /,
  ],
  [
    'a page in place of the manifest',
    (name) => replaceManifest(name, '<!doctype html>'),
    /manifest.json: is a page of HTML, /,
  ],
  ['a manifest cut off', (name) => replaceManifest(name, '{"format": 1'), /manifest.json: is cut off; copy /],
  [
    'a manifest of a newer format',
    (name) => replaceManifest(name, '{"format": 99}'),
    /format 99.*install a newer/,
  ],
  [
    'a manifest without files',
    async (name) => replaceManifest(name, JSON.stringify({ ...(await manifest(name)), files: {} })),
    /has no predict.onnx/,
  ],
];

test.each(broken)('a model with %s is one line', async (what, happen, message) => {
  const name = what.replaceAll(' ', '-');
  await cp(at('model'), at(name), { recursive: true });
  await happen(name);
  const before = await contents();
  expect(await failure('predict', name, '--user', 'u1', '--item', 'i1')).toMatch(message);
  expect(await failure('evaluate', name, 'ratings.csv')).toMatch(message);
  expect(await contents()).toEqual(before);
});

test('standard input that cannot be copied', async () => {
  vi.stubEnv('TMPDIR', at('nowhere'));
  const message = await failure('train', '-', '--out', 'none').finally(() => vi.unstubAllEnvs());
  expect(message).toMatch(/nowhere: standard input cannot be copied there \(ENOENT\).*TMPDIR/);
});
