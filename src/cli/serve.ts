import { Command, InvalidArgumentError } from 'commander';
import { type AccessOptions, hostName, origin } from '../serve/access.ts';
import { type Server, serve } from '../serve/serve.ts';
import { type Choices, kinds, numeric } from '../util/choices.ts';
import { endBy } from '../util/end-by.ts';
import type { Expected } from '../util/options.ts';
import { sizeFrom } from '../util/size-kind.ts';
import { chosenDevice, type Flags, withChoices } from './choice-options.ts';
import { OPENING } from './open-model.ts';
import { printLine } from './output.ts';

/** A closing server still takes requests for so long, so that a load balancer can first learn that it is not ready. */
const GRACE_MS = 2000;

const own = {
  ...OPENING,
  port: {
    kind: numeric(
      'give a whole number from 0 to 65535',
      (port) => Number.isInteger(port) && port >= 0 && port < 65_536,
    ),
    help: 'port to listen on; 0 for any free port',
    default: 8080,
  },
  host: {
    kind: kinds.text('address'),
    help: 'address to listen on; 0.0.0.0 for all addresses of this machine',
    default: '127.0.0.1',
  },
  workers: { kind: kinds.count, help: 'threads that run models (default: the number of cores minus one)' },
  memory: {
    kind: sizeFrom(1),
    help: "memory that the server may take, such as 512MB; requests beyond it get 503 (default: half of the machine's, or of the container's)",
  },
  timeout: { kind: kinds.positive, help: 'seconds that a request may take before it gets 503', default: 10 },
  feedback: {
    kind: kinds.text('folder'),
    help: 'take feedback at POST /feedback, and store it in this folder, for the next training',
  },
  logLevel: {
    kind: kinds.oneOf(['debug', 'info', 'warn', 'error', 'silent'], 'level'),
    help: 'level of the log on standard error; debug logs every request',
    default: 'info',
  },
  tokenFile: {
    kind: kinds.text('file'),
    help: 'file with a token, which every request must then have, as authorization: Bearer TOKEN',
  },
  protectAll: {
    kind: kinds.flag,
    help: 'ask for the token at /v2/health/ and /metrics, too',
  },
} as const satisfies Choices;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description(
      'Serve trained models over HTTP: a web page, JSON endpoints, and the Open Inference Protocol.',
    )
    .argument('<folders...>', 'trained models')
    .option(
      '--no-page',
      'do not serve the web page, with which anyone who can reach it can download the first model',
    )
    .option(
      '--allow-host <name>',
      'a further name for which the server answers; may be repeated',
      collected(hostName),
    )
    .option(
      '--cors <origin>',
      'an origin whose web pages may ask, such as https://example.com, or * for all; may be repeated',
      collected(origin),
    );
  return withChoices(command, ['device'], own).action(run);
}

/** Parses a flag that may be repeated. */
const collected =
  ({ fits, give }: Expected) =>
  (text: string, before: readonly string[] = []): readonly string[] => {
    if (!fits(text)) throw new InvalidArgumentError(`Give ${give}.`);
    return [...before, text];
  };

interface ServeFlags extends Flags<'device', typeof own>, Pick<AccessOptions, 'cors'> {
  readonly page: boolean;
  readonly allowHost?: AccessOptions['allowHosts'];
}

async function run(folders: string[], { page, allowHost, ...flags }: ServeFlags): Promise<void> {
  const device = await chosenDevice(flags);
  const server = await serve(folders, {
    ...flags,
    device,
    allowHosts: allowHost,
    page: page ? undefined : false,
  });
  // A browser sends no token.
  const hint = server.hasPage && flags.tokenFile === undefined ? 'open it in a browser, or try' : 'try';
  printLine(
    `Listening at ${server.url}: ${hint} /recommend/{user}, /similar/{item}, /v2, /openapi.json, /metrics`,
  );
  await stopped(server);
}

/** Closes the server at the first signal. The second ends the program at once. */
async function stopped(server: Server): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  process.once('SIGINT', endBy);
  // A worker in an endless run would hold up the end of the process, too.
  await server.close(signal === 'SIGTERM' ? GRACE_MS : 0).catch(() => process.kill(process.pid, 'SIGKILL'));
}
