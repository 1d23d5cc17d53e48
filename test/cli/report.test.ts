import { mkdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { workplace } from '../support/cli.ts';

const { write, text, json, failure, at, names } = workplace();
beforeAll(() => text('train', 'ratings.csv', '--out', 'model', '--factors', '2', '--epochs', '1'));

test('writes report.html, and says where', async () => {
  expect(await text('report', 'model')).toMatch(
    /^Wrote report\.html \(\d+\.\d kB\): open it in a browser\n$/,
  );
  expect(await readFile(at('report.html'), 'utf8')).toMatch(/^<!doctype html>.*<\/html>\n$/s);
});

test('with data, and to another file, whose folder is made', async () => {
  const { out, bytes } = await json('report', 'model', '--data', 'ratings.csv', '--out', 'new/about.html');
  const page = await readFile(at('new/about.html'), 'utf8');
  expect([out, bytes]).toEqual(['new/about.html', Buffer.byteLength(page)]);
  expect(page).toContain('<bdi class="source">ratings.csv</bdi>');
});

test('the columns of the data may be named', async () => {
  await write('named.csv', 'who,what,how\nu0,i0,3\nu1,i1,4\n');
  const columns = ['--user-column', 'who', '--item-column', 'what', '--rating-column', 'how'];
  await text('report', 'model', '--data', 'named.csv', ...columns, '--out', 'named.html');
  expect(await readFile(at('named.html'), 'utf8')).toContain('named.csv');
});

test('mistakes print one line and change nothing', async () => {
  await write('kept.html', 'kept');
  const out = ['--out', 'kept.html'];
  await write('broken.csv', 'user,item,rating\nu0,i0,good\n');
  expect(await failure('report', 'nowhere', ...out)).toMatch(/nowhere: is not a trained model/);
  expect(await failure('report', 'model', '--data', 'nothing.csv', ...out)).toMatch(/nothing\.csv: no such/);
  expect(await failure('report', 'model', '--data', 'broken.csv', ...out)).toMatch(/broken\.csv, line 2/);
  expect(await readFile(at('kept.html'), 'utf8')).toBe('kept');
  await mkdir(at('folder.html'));
  expect(await failure('report', 'model', '--out', 'folder.html')).toMatch(
    /folder.html: is a folder; give the name of a file/,
  );
  expect((await names()).filter((name) => /cofactor-(lock|incoming)/.test(name))).toEqual([]);
});
