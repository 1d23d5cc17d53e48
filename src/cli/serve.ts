import { Command } from 'commander';
import { type Server, serve } from '../serve/serve.ts';
import { type Choices, kinds, numeric } from '../util/choices.ts';
import { chosenDevice, type Flags, withChoices } from './choice-options.ts';
import { printLine } from './output.ts';

/** A closing server still takes requests for so long, so that a load balancer can first learn that it is not ready. */
const GRACE_MS = 2000;

const own = {
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
  logLevel: {
    kind: kinds.oneOf(['debug', 'info', 'warn', 'error', 'silent'], 'level'),
    help: 'level of the log on standard error; debug logs every request',
    default: 'info',
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
    );
  return withChoices(command, ['device'], own).action(run);
}

async function run(
  folders: string[],
  { page, ...flags }: Flags<'device', typeof own> & { readonly page: boolean },
): Promise<void> {
  const device = await chosenDevice(flags);
  const server = await serve(folders, { ...flags, device, page: page ? undefined : false });
  const hint = server.hasPage ? 'open it in a browser, or try' : 'try';
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
  process.once('SIGINT', () => process.exit(130));
  await server.close(signal === 'SIGTERM' ? GRACE_MS : 0);
}
