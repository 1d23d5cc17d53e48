import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ScratchFolder } from '../../src/util/scratch-folder.ts';
import { temporaryFolder } from '../support/files.ts';

const folder = temporaryFolder();

test('a scratch folder goes when it is removed, and others stay', async () => {
  const [first, second] = [new ScratchFolder(folder.path), new ScratchFolder(folder.path)];
  await writeFile(join(first.path, 'rows'), 'rows');
  first.remove();
  expect(await readdir(folder.path)).toEqual([second.path.slice(folder.path.length + 1)]);
  second.remove();
  expect(await readdir(folder.path)).toEqual([]);
});

test('one of a killed process goes with the next; folders of others stay', async () => {
  const script = `
    import { ScratchFolder } from './src/util/scratch-folder.ts';
    console.log(new ScratchFolder(${JSON.stringify(folder.path)}).path);
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const path = String((await once(child.stdout, 'data'))[0]).trim();
  await writeFile(join(path, 'input'), 'rows');
  new ScratchFolder(folder.path).remove();
  expect(existsSync(path)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  for (const name of ['cofactor-mine', 'cofactor-scratch-mine']) {
    await mkdir(join(folder.path, name));
    await writeFile(join(folder.path, name, 'notes.txt'), 'mine');
  }
  new ScratchFolder(folder.path).remove();
  expect((await readdir(folder.path)).sort()).toEqual(['cofactor-mine', 'cofactor-scratch-mine']);
});
