import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { program, ratingsCsv } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';
import { type Deeds, traced, tracedServer, whyNoTrace } from '../support/strace.ts';

const why = whyNoTrace();
const temporary = temporaryFolder();
/** Folders: of the data and the results, of temporary files, and the home. */
const at = { work: '', temporary: '', home: '' };

beforeAll(async () => {
  const path = await realpath(temporary.path);
  for (const name of ['work', 'temporary', 'home'] as const) {
    at[name] = join(path, name);
    await mkdir(at[name]);
  }
  await temporary.write('work/ratings.csv', ratingsCsv());
});

const place = () => {
  const { ORT_DISABLE_TELEMETRY, XDG_CACHE_HOME, ...env } = process.env;
  return {
    cwd: at.work,
    // libuv would write files by io_uring, which strace does not see.
    env: { ...env, HOME: at.home, TMPDIR: at.temporary, UV_USE_IO_URING: '0' },
    trace: join(temporary.path, 'trace'),
  };
};

/** What every program may write besides what it is told to. */
const HARMLESS: Readonly<Record<string, string>> = {
  '/dev/null': 'what is written there is gone',
  '/dev/tty': 'the terminal',
  '/proc/self/oom_score_adj': 'says that the kernel should end a trial of a model first if memory runs out',
};

/** A site is made beside its place, in a folder of its own, and then moved there. */
const inPlace = (path: string): string => path.replace(/\/\.(\w+)\.cofactor-(lock|incoming|outgoing)/, '/$1');

/** What a command wrote outside the temporary folder and those that it was given. */
const strays = ({ written }: Deeds, ...given: string[]): string[] => {
  const folders = [at.temporary, ...given.map((name) => join(at.work, name))];
  return written.filter(
    (path) => !(path in HARMLESS) && !folders.some((folder) => `${inPlace(path)}/`.startsWith(`${folder}/`)),
  );
};

/** Addresses beyond loopback, and those of name servers, even there. */
const beyond = ({ addresses }: Deeds): string[] =>
  addresses.filter((address) => !/^(127\.\d+\.\d+\.\d+|::1):(?!53$)\d+$/.test(address));

describe.skipIf(why !== undefined)(
  `outside, under strace${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    test.for<[string, string[], string[]]>([
      ['train', ['train', 'ratings.csv', '--out', 'movies', '--seen'], ['movies']],
      [
        'train by strata',
        ['train', 'ratings.csv', '--out', 'strata', '--engine', 'strata', '--workers', '2'],
        ['strata'],
      ],
      ['train item-item', ['train', 'ratings.csv', '--out', 'weights', '--model', 'item-item'], ['weights']],
      ['recommend', ['recommend', 'movies', '--user', 'u1'], []],
      ['evaluate', ['evaluate', 'movies', 'ratings.csv'], []],
      ['page', ['page', 'movies', '--out', 'site'], ['site']],
      ['doctor', ['doctor'], []],
    ])('%s connects to nobody, and writes only where it is told to', async ([, args, given]) => {
      const deeds = await traced([program, ...args], place());
      expect({ strays: strays(deeds, ...given), addresses: deeds.addresses }).toEqual({
        strays: [],
        addresses: [],
      });
      for (const name of given)
        expect(deeds.written.map(inPlace)).toContain(
          join(at.work, name, args[0] === 'page' ? 'index.html' : 'manifest.json'),
        );
    });

    test('serve stays on loopback, and writes only feedback', async () => {
      const flags = ['serve', 'movies', '--port', '0', '--feedback', 'feedback', '--log-level', 'error'];
      const deeds = await tracedServer([program, ...flags], place(), async (url) => {
        const body = JSON.stringify({ user: 'u1', item: 'i1', value: 4 });
        const headers = { 'content-type': 'application/json' };
        for (const [path, init] of [
          ['/', {}],
          ['/recommend/u1', {}],
          ['/metrics', {}],
          ['/feedback', { method: 'POST', headers, body }],
        ] as const)
          expect((await fetch(`${url}${path}`, init)).status).toBe(200);
      });
      expect({ strays: strays(deeds, 'feedback'), beyond: beyond(deeds) }).toEqual({
        strays: [],
        beyond: [],
      });
      expect(deeds.addresses).toHaveLength(1);
      expect(deeds.written.filter((path) => path.endsWith('.jsonl'))).toHaveLength(1);
    });

    test('what does more is seen', async () => {
      const program = await temporary.write(
        'work/more.mjs',
        `import { connect } from 'node:net';
       import { lookup } from 'node:dns';
       import { writeFileSync, renameSync } from 'node:fs';
       import { Worker } from 'node:worker_threads';
       import { homedir } from 'node:os';
       connect(9, '192.0.2.1').on('error', () => undefined).unref();
       lookup('cofactor.invalid', () => process.exit());
       writeFileSync(homedir() + '/one', '');
       renameSync(homedir() + '/one', '../two');`,
      );
      const deeds = await traced([program], place());
      expect(strays(deeds, 'movies')).toEqual([join(at.home, 'one'), join(at.work, '../two')]);
      expect(beyond(deeds)).toEqual(expect.arrayContaining(['192.0.2.1:9', expect.stringMatching(/:53$/)]));
    });
  },
);
