import { expect, test } from 'vitest';
import { nodeRuntime } from '../../src/run/node.ts';
import { serve } from '../../src/serve/serve.ts';
import { argumentError } from '../support/files.ts';

const start = serve as unknown as (...given: unknown[]) => Promise<unknown>;

test.each([
  [undefined, 'the folders are undefined; give a path, or a list of paths'],
  [[], 'the folders are []; give a path, or a list of paths'],
  [5, 'the folders are 5; give a path, or a list of paths'],
  [[5], 'the folders are [5]; give a path, or a list of paths'],
])('%j is no folder to serve', async (folders, message) => {
  expect(await argumentError(start(folders))).toBe(message);
});

test.each([
  [{ workers: 0 }, 'workers is 0; give a whole number from 1'],
  [{ port: 99_999 }, 'port is 99999; give a whole number from 0 to 65535'],
  [{ port: 'x' }, 'port is "x"; give a whole number from 0 to 65535'],
  [{ host: 0 }, 'host is 0; give a text'],
  [{ logLevel: 'zzz' }, 'logLevel is "zzz"; give one of debug, info, warn, error, silent'],
  [{ page: true }, 'page is true; give a folder, or false'],
  [{ device: 'tpu' }, 'there is no device "tpu"; give one of auto, '],
  [{ ports: 80 }, 'there is no option "ports"; the options are host, port, '],
  [80, 'the options are 80; give an object with any of host, port, '],
])('%j are no options of a server', async (options, message) => {
  expect(await argumentError(start('movies', options))).toContain(message);
});

test.each([
  ['cpu', 'the options are "cpu"; give an object with any of device'],
  [{ gpu: true }, 'there is no option "gpu"; the options are device'],
  [{ device: 5 }, 'there is no device "5"; give one of auto, '],
])('%j are no options of a runtime', async (options, message) => {
  expect(await argumentError(nodeRuntime(options as object))).toContain(message);
});
