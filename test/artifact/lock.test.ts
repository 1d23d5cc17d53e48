import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Lock } from '../../src/util/lock.ts';
import { temporaryFolder } from '../support/files.ts';

const folder = temporaryFolder();
let count = 0;
const newPath = () => join(folder.path, `lock-${count++}`);
const BUSY =
  /^m: another cofactor \(process \d+\) is writing there; wait for its end, or choose another place$/;

test('a lock is one’s own until it is given back, and says whether it was left', () => {
  const path = newPath();
  const lock = Lock.take(path, 'm');
  expect([lock.isInPlace, lock.wasLeft]).toEqual([true, false]);
  expect(() => Lock.take(path, 'm')).toThrow(BUSY);
  lock.release();
  expect(existsSync(path)).toBe(false);
  const next = Lock.take(path, 'm');
  next.release(true);
  const last = Lock.take(path, 'm');
  expect(last.wasLeft).toBe(true);
  last.release();
});

describe('where the module cannot be loaded', () => {
  const { versions } = process;
  afterEach(() => {
    Object.defineProperty(process, 'versions', { value: versions });
  });

  test('a lock is held while the process that it names runs', async () => {
    Object.defineProperty(process, 'versions', { value: { ...versions, deno: '2.0.0' } });
    const path = newPath();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await writeFile(path, `${other.pid}\n`);
    expect(() => Lock.take(path, 'm')).toThrow(BUSY);
    other.kill('SIGKILL');
    await once(other, 'exit');
    const lock = Lock.take(path, 'm');
    expect([lock.wasLeft, await readFile(path, 'utf8')]).toEqual([true, `${process.pid}\n`]);
    lock.release();
  });
});
