import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The path of a Python in which exactly the pinned packages of a requirements file are installed: the virtual
 * environment `.venv-NAME` in the project's root, made anew when the file has changed since.
 */
export async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const folder = join(projectRoot, `.venv-${name}`);
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const stamp = join(folder, 'requirements.sha256');
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  if ((await readFile(stamp, 'utf8').catch(() => undefined)) === wanted) return python;

  await rm(folder, { recursive: true, force: true });
  await step('no virtual environment: python3 with its venv module is needed', 'python3', [
    '-m',
    'venv',
    folder,
  ]);
  await step(`cannot install ${requirements}`, python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--requirement',
    requirements,
  ]);
  await writeFile(stamp, wanted);
  return python;
}

async function step(failure: string, command: string, args: string[]): Promise<void> {
  try {
    await run(command, args, { maxBuffer: 64 << 20 });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    const reason = (stderr.trim() || stdout.trim() || message).split('\n').at(-1);
    throw new Error(`${failure} (${reason})`);
  }
}
