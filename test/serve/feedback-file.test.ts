import {
  appendFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FeedbackFiles, Quota } from '../../src/serve/feedback-file.ts';
import { LIMITS } from '../../src/serve/limits.ts';
import { temporaryFolder } from '../support/files.ts';

const temporary = temporaryFolder();
let folder: string;
let files: FeedbackFiles;
/** What every open file inherits. */
let anyFile: FileHandle;
type Write = (this: FileHandle, ...given: [Buffer, number, number, number]) => Promise<never>;

beforeEach(async (context) => {
  folder = join(temporary.path, context.task.id);
  files = new FeedbackFiles(folder, new Quota(folder));
  const one = await open(import.meta.filename);
  anyFile = Object.getPrototypeOf(one);
  await one.close();
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await files.close();
});

const mebibyte = `${'x'.repeat(2 ** 20 - 1)}\n`;
const names = () => readdir(folder);
const contents = async () =>
  Promise.all((await names()).toSorted().map((name) => readFile(join(folder, name), 'utf8')));
const failed = (code: string) => Object.assign(new Error(code), { code });

test('a file ends where the next lines would make it larger than 16 MiB', async () => {
  for (let count = 0; count < 33; count++) await files.append(mebibyte);
  expect((await contents()).map(({ length }) => length / 2 ** 20)).toEqual([16, 16, 1]);
});

test('a file ends with the day', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 30, 23, 59, 59, 999) });
  await files.append('one\n');
  await files.append('two\n');
  vi.setSystemTime(Date.UTC(2026, 11, 1));
  await files.append('three\n');
  expect(await contents()).toEqual(['one\ntwo\n', 'three\n']);
  expect(await names()).toEqual([
    `2026-11-30T235959Z-${process.pid}-1.jsonl`,
    `2026-12-01T000000Z-${process.pid}-2.jsonl`,
  ]);
});

test('a file that there is already is left alone', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 30) });
  await mkdir(folder);
  const other = join(folder, `2026-11-30T000000Z-${process.pid}-1.jsonl`);
  await writeFile(other, 'of another\n');
  await files.append('mine\n');
  expect(await contents()).toEqual(['of another\n', 'mine\n']);
});

test('what waits is written at once', async () => {
  const write = vi.spyOn(anyFile, 'write');
  const sync = vi.spyOn(anyFile, 'datasync');
  await Promise.all(Array.from({ length: 100 }, (_, at) => files.append(`${at}\n`)));
  expect([write.mock.calls.length, sync.mock.calls.length]).toEqual([2, 2]);
  expect(await contents()).toEqual([Array.from({ length: 100 }, (_, at) => `${at}\n`).join('')]);
});

test.each(['write', 'datasync'] as const)('if a %s fails, no part of its lines stays', async (method) => {
  await files.append('before\n');
  const write = anyFile.write as unknown as Write;
  vi.spyOn(anyFile, method).mockImplementationOnce(async function (this: FileHandle, ...given: unknown[]) {
    if (method === 'write') await write.call(this, given[0] as Buffer, 0, 3, given[3] as number);
    throw failed('ENOSPC');
  });
  await expect(files.append('lost lines\n')).rejects.toMatchObject({
    statusCode: 503,
    message: 'the feedback cannot be stored (ENOSPC); try again later',
  });
  expect(await contents()).toEqual(['before\n']);
  await files.append('after\n');
  expect(await contents()).toEqual(['before\nafter\n']);
});

test('if a part cannot be taken back, its file gets no more', async () => {
  await files.append('before\n');
  vi.spyOn(anyFile, 'datasync').mockRejectedValueOnce(failed('EIO'));
  vi.spyOn(anyFile, 'truncate').mockRejectedValueOnce(failed('EIO'));
  await expect(files.append('in doubt\n')).rejects.toMatchObject({ statusCode: 503 });
  await files.append('after\n');
  expect(await contents()).toEqual(['before\nin doubt\n', 'after\n']);
});

test('a short write goes on', async () => {
  const write = anyFile.write as unknown as Write;
  vi.spyOn(anyFile, 'write').mockImplementationOnce(function (this: FileHandle, ...given: unknown[]) {
    return write.call(this, given[0] as Buffer, 0, 2, given[3] as number);
  } as never);
  await files.append('whole\n');
  expect(await contents()).toEqual(['whole\n']);
});

test('a file in which nothing could be stored does not stay', async () => {
  vi.spyOn(anyFile, 'write').mockRejectedValue(failed('ENOSPC'));
  await expect(files.append('lost\n')).rejects.toMatchObject({ statusCode: 503 });
  await files.close();
  expect(await names()).toEqual([]);
});

test('at most 16 MiB wait', async () => {
  let resume = () => {};
  const held = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const { datasync } = anyFile;
  vi.spyOn(anyFile, 'datasync').mockImplementationOnce(async function (this: FileHandle) {
    await held;
    await datasync.call(this);
  });
  const accepted = Array.from({ length: 16 }, () => files.append(mebibyte));
  await expect(files.append('more\n')).rejects.toMatchObject({
    statusCode: 503,
    message: 'too many events wait to be stored; try again later',
  });
  resume();
  await Promise.all(accepted);
  await files.append('more\n');
});

test('a full folder takes no more, until files are moved away', async () => {
  const another = join(temporary.path, 'full', 'another');
  files = new FeedbackFiles(join(temporary.path, 'full', 'mine'), new Quota(join(temporary.path, 'full')));
  await mkdir(another, { recursive: true });
  await writeFile(join(another, 'large.jsonl'), '');
  await truncate(join(another, 'large.jsonl'), LIMITS.feedback - 8);
  await files.append('123456\n');
  for (let tries = 0; tries < 2; tries++)
    await expect(files.append('8\n')).rejects.toMatchObject({
      statusCode: 503,
      message: 'the folder for feedback is full; move files away from it, or train on them and delete them',
    });
  await rm(join(another, 'large.jsonl'));
  await expect
    .poll(() =>
      files.append('8\n').then(
        () => 'stored',
        () => 'full',
      ),
    )
    .toBe('stored');
});

test('what others wrote, cut off or linked to stays as it is, and a new file begins', async () => {
  const paths: string[] = [];
  const next = async (line: string): Promise<string> => {
    await files.append(`${line}\n`);
    const added = (await names()).find((name) => name.endsWith('.jsonl') && !paths.includes(name)) as string;
    paths.push(added);
    return join(folder, added);
  };
  const first = await next('one');
  await appendFile(first, 'of another\n');
  const second = await next('two');
  await truncate(second);
  const third = await next('three');
  await link(third, join(folder, 'backup'));
  await next('four');
  expect(await contents()).toEqual(['one\nof another\n', '', 'three\n', 'four\n', 'three\n']);
});
