import { Command } from 'commander';
import { type Server, serve } from '../serve/serve.ts';
import { type Choices, kinds, numeric } from '../util/choices.ts';
import { chosenDevice, type Flags, withChoices } from './choice-options.ts';
import { printLine } from './output.ts';

/** How long a closing server still takes requests, so that whoever sends them learns first that it is not ready. */
const GRACE_MS = 2000;

const own = {
  port: {
    kind: numeric(
      'give a whole number from 0 to 65535',
      (port) => Number.isInteger(port) && port >= 0 && port < 65_536,
    ),
    help: 'where to listen; 0 for any that is free',
    default: 8080,
  },
  host: {
    kind: kinds.text('address'),
    help: 'the address to listen at; 0.0.0.0 for all of this machine',
    default: '127.0.0.1',
  },
  workers: { kind: kinds.count, help: 'threads that run models (default: one less than there are cores)' },
  logLevel: {
    kind: kinds.oneOf(['debug', 'info', 'warn', 'error', 'silent'], 'level'),
    help: 'of the log on standard error; debug tells of every request',
    default: 'info',
  },
} as const satisfies Choices;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description(
      'Serve trained models over HTTP: a web page, endpoints for people, and the Open Inference Protocol.',
    )
    .argument('<folders...>', 'trained models')
    .option('--no-page', 'serve no web page, which lets anybody who can reach it download the first model');
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

/** Ends the server at a signal; at the second at once. */
async function stopped(server: Server): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  process.once('SIGINT', () => process.exit(130));
  await server.close(signal === 'SIGTERM' ? GRACE_MS : 0);
}
