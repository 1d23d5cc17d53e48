import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** What installing the packages takes at most. */
const LONGEST_MS = 10 * 60_000;
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
  const isMade = async () => (await readFile(stamp, 'utf8').catch(() => undefined)) === wanted;
  if (await isMade()) return python;
  await alone(`${folder}.lock`, async () => {
    if (!(await isMade())) await make(folder, python, requirements);
    await writeFile(stamp, wanted);
  });
  return python;
}

/** Of several processes that want the same, one at a time. */
async function alone(lock: string, work: () => Promise<void>): Promise<void> {
  const isTaken = async (): Promise<boolean> => {
    const { mtimeMs } = await stat(lock).catch(() => ({ mtimeMs: 0 }));
    // Whoever was killed leaves a lock behind.
    if (Date.now() - mtimeMs > LONGEST_MS) await rm(lock, { recursive: true, force: true });
    return mkdir(lock).then(
      () => false,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return true;
        throw error;
      },
    );
  };
  while (await isTaken()) await setTimeout(200);
  try {
    await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function make(folder: string, python: string, requirements: string): Promise<void> {
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
