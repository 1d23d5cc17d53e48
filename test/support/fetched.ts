import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Outside the project, so that a new clone finds what another has fetched. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cofactor-tests');

/**
 * Fetches a program that is a package of the npm registry, of that name, into a cache folder.
 *
 * @param version `latest` for the newest
 * @returns the path of the program
 * @throws if it cannot be fetched, with the reason
 */
export async function fetchProgram(name: string, version: string): Promise<string> {
  const exact = version === 'latest' ? await newest(name) : version;
  const folder = join(CACHE, `${name}-${exact}`);
  const program = join('node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
  if (!existsSync(join(folder, program))) {
    const fresh = `${folder}-${process.pid}`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    await writeFile(join(fresh, 'package.json'), '{"private": true}');
    await npm(['install', '--no-audit', '--no-fund', `${name}@${exact}`], fresh);
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  }
  const path = join(folder, program);
  const { stdout } = await run(path, ['--version'], { shell: process.platform === 'win32' });
  if (!stdout.includes(exact)) throw new Error(`${path} is ${stdout.trim()}, not ${exact}`);
  return path;
}

async function newest(name: string): Promise<string> {
  return (await npm(['view', name, 'version'], undefined)).trim();
}

async function npm(args: readonly string[], cwd: string | undefined): Promise<string> {
  try {
    return (await run('npm', args, { cwd, maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`npm ${args.join(' ')} failed: ${(stderr.trim() || message).split('\n')[0]}`);
  }
}
