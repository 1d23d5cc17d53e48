import { Command, Option } from 'commander';
import { type ServeOptions, type Server, serve } from '../serve/serve.ts';
import { chosenDevice, type Flags, withChoices } from './choice-options.ts';
import { number } from './options.ts';
import { printLine } from './output.ts';

/** How long a closing server still takes requests, so that whoever sends them learns first that it is not ready. */
const GRACE_MS = 2000;

export function serveCommand(): Command {
  const command = new Command('serve')
    .description(
      'Serve trained models over HTTP: a web page, endpoints for people, and the Open Inference Protocol.',
    )
    .argument('<folders...>', 'trained models')
    .option(
      '--port <number>',
      'where to listen; 0 for any that is free',
      number({ from: 0, below: 65_536, whole: true }),
      8080,
    )
    .option('--host <address>', 'the address to listen at; 0.0.0.0 for all of this machine', '127.0.0.1')
    .option(
      '--workers <number>',
      'threads that run models (default: one less than there are cores)',
      number({ from: 1, whole: true }),
    )
    .option('--no-page', 'serve no web page, which lets anybody who can reach it download the first model')
    .addOption(
      new Option('--log-level <level>', 'of the log on standard error; debug tells of every request')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    );
  return withChoices(command, ['device']).action(run);
}

async function run(
  folders: string[],
  { page, ...flags }: Omit<ServeOptions, 'page' | 'device'> & Flags<'device'> & { page: boolean },
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
