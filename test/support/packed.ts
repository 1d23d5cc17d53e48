import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { ratingsCsv } from './cli.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A project in a folder of its own, with `ratings.csv`, that gets the tarball of the package. */
export function packedProject() {
  const project = {
    folder: '',
    /** The path of the tarball, and the files in it. */
    tarball: '',
    files: [] as readonly string[],
    run: (command: string, ...args: string[]) =>
      execute(command, args, {
        cwd: project.folder,
        // The install script would download GPU libraries.
        env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
        maxBuffer: 64 << 20,
      }),
    write: (name: string, content: string) => writeFile(join(project.folder, name), content),
    /** Unpacks the tarball beside links to its dependencies, and to nothing else: as npm does, but without a network. */
    async unpack() {
      const modules = join(project.folder, 'node_modules');
      await mkdir(modules, { recursive: true });
      await execute('tar', ['-xzf', project.tarball, '-C', modules]);
      const target = join(modules, 'cofactor');
      await rename(join(modules, 'package'), target);
      const { dependencies } = JSON.parse(await readFile(join(target, 'package.json'), 'utf8'));
      for (const name of Object.keys(dependencies)) await project.link(name);
    },
    /** Installs a package that this project has, too. */
    async link(name: string) {
      const path = join(project.folder, 'node_modules', name);
      await mkdir(dirname(path), { recursive: true });
      await symlink(join(root, 'node_modules', name), path, 'junction');
    },
  };
  beforeAll(async () => {
    project.folder = await realpath(await mkdtemp(join(tmpdir(), 'cofactor-package-')));
    // `test/build.ts` has built: another build would disturb other tests.
    const flags = ['--ignore-scripts', '--json', '--pack-destination', project.folder];
    const { stdout } = await execute('npm', ['pack', ...flags], { cwd: root });
    const [{ filename, files }] = JSON.parse(stdout);
    project.files = files.map(({ path }: { path: string }) => path);
    project.tarball = join(project.folder, filename);
    await project.write('package.json', '{"private": true}');
    await project.write('ratings.csv', ratingsCsv());
  });
  afterAll(() => rm(project.folder, { recursive: true, force: true }));
  return project;
}
