import { type AddressInfo, Server as NetServer } from 'node:net';
import { basename, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { option, UserError } from '../errors.ts';
import type { Device } from '../run/device-names.ts';
import { workerRuntime } from '../run/worker.ts';
import * as expected from '../util/options.ts';
import { checkArgument, checkOptions, type OptionTable } from '../util/options.ts';
import { ACCESS_OPTIONS, type AccessOptions, checkAccess } from './access.ts';
import { addFeedback, Feedback } from './feedback.ts';
import { Lanes } from './lanes.ts';
import { LIMITS } from './limits.ts';
import { ProcessMemory } from './memory.ts';
import type { Metrics } from './metrics.ts';
import { ServedModel } from './models.ts';
import { addPage, staticFiles } from './page.ts';
import { readPage } from './page-files.ts';
import { addProtocol } from './protocol.ts';
import { addRecommendations } from './recommendations.ts';
import { addStatus } from './status-page.ts';
import { tryOutInProcess } from './trial.ts';

export interface ServeOptions extends AccessOptions {
  /** Address to listen on. Other machines cannot reach the default. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Port to listen on; 0 for any free port. @default 8080 */
  readonly port?: number | undefined;
  /** Number of threads that run models. Default: the number of cores minus one */
  readonly workers?: number | undefined;
  /** Device that executes models. With WebGPU there is only one worker. @default 'cpu' */
  readonly device?: Device | 'auto' | undefined;
  /** Level of the log on standard error, which has one JSON object per line. @default 'warn' */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent' | undefined;
  /**
   * Folder of the web page to serve at `/`, if it exists; false for no page. With the page the first model can be
   * downloaded, without the ratings of users. Default: the page that comes with cofactor
   */
  readonly page?: string | false | undefined;
  /**
   * Bytes of memory that the process may take. Requests that need more than is left get 503. Default: half of the machine's, or
   * of the container's
   */
  readonly memory?: number | undefined;
  /** Seconds that a request may take. One that takes longer gets 503. @default 10 */
  readonly timeout?: number | undefined;
  /**
   * Folder in which `POST /feedback` stores what users rated, or did, each model's in a folder of its own, in files that
   * `readRatings` reads. Default: none, and no such endpoint
   */
  readonly feedback?: string | undefined;
  /**
   * Serves models of one's own without the checks of what a stranger could have made of them. Their files may then be links.
   *
   * @default false
   */
  readonly trust?: boolean | undefined;
}

const SERVE_OPTIONS: OptionTable<ServeOptions> = {
  host: expected.text,
  port: {
    fits: (port) => Number.isInteger(port) && (port as number) >= 0 && (port as number) < 65_536,
    give: 'a whole number from 0 to 65535',
  },
  workers: expected.count,
  device: expected.checkedLater,
  logLevel: expected.oneOf(['debug', 'info', 'warn', 'error', 'silent']),
  memory: { fits: (memory) => (memory as number) > 0, give: 'a number of bytes' },
  timeout: { fits: (timeout) => (timeout as number) > 0, give: 'a number of seconds above 0' },
  page: { fits: (page) => page === false || expected.path.fits(page), give: 'a folder, or false' },
  trust: expected.flag,
  feedback: expected.path,
  ...ACCESS_OPTIONS,
};

export interface Server {
  /** Address of the server, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Whether it serves a web page. */
  readonly hasPage: boolean;
  /**
   * Closes the server: says that it is not ready, refuses new connections, and sends all answers to the last byte, for at most 30 seconds.
   *
   * @param grace milliseconds in which it still takes requests. Default: 0
   * @throws Error after 30 seconds if a worker is still busy
   */
  close(grace?: number): Promise<void>;
}

/**
 * Serves the models in folders over HTTP: with JSON endpoints, with the Open Inference Protocol, version 2, and with a web
 * page.
 *
 * @param folders a folder of a trained model, or several; a model has the name of its folder
 * @throws UserError if a folder has no model, if two have the same name, if the device is not available, or if the server
 *   cannot listen on the address
 */
export async function serve(
  folders: string | readonly string[],
  options: ServeOptions = {},
): Promise<Server> {
  checkArgument('the folders are', folders, expected.paths);
  checkOptions(options, SERVE_OPTIONS);
  const {
    host = '127.0.0.1',
    port = 8080,
    workers,
    device,
    logLevel = 'warn',
    page: folder,
    trust,
  } = options;
  const directories = [folders].flat();
  checkNames(directories);
  // Imported here, so that programs which only import the library need not load a web server.
  const [{ createApp }, { Metrics }] = await Promise.all([import('./app.ts'), import('./metrics.ts')]);
  const found = folder === false ? undefined : await readPage(folder);
  const page = found && (await staticFiles(found));
  const feedback =
    options.feedback === undefined ? undefined : await Feedback.in(options.feedback, directories);
  const metrics = new Metrics();
  const runtime = await workerRuntime({ workers, device, onBatch: metrics.onBatch });
  const closing = new AbortController();
  try {
    const models: ServedModel[] = [];
    const tryOut = (directory: string) =>
      tryOutInProcess(directory, { signal: closing.signal, device: runtime.device, trust });
    const memory = new ProcessMemory(options.memory, runtime.workers);
    for (const directory of directories)
      models.push(await ServedModel.open(directory, { runtime, tryOut, memory, trust }));
    memory.measure();
    metrics.watch(runtime, models, memory.requests);
    const isClosing = () => closing.signal.aborted;
    const shared = { metrics, memory: memory.requests, timeout: options.timeout ?? 10, logLevel, isClosing };
    const lanes = new Lanes(runtime.workers);
    const { app, connections } = await createApp(shared, (app) => {
      addProtocol(app, { models, lanes, runtime, isClosing });
      addRecommendations(app, models, lanes, metrics);
      addDescriptions(app, metrics);
      addStatus(app, models, metrics);
      if (feedback) addFeedback(app, models, feedback, metrics);
      if (page) addPage(app, models, page);
    });
    await checkAccess(app, host, options);
    await listen(app, host, port);
    void watch(models, { signal: closing.signal, log: app.log, metrics });
    return {
      url: urlOf(app.server.address() as AddressInfo),
      hasPage: page !== undefined,
      async close(grace = 0) {
        const end = performance.now() + LIMITS.closeTimeout;
        closing.abort();
        app.log.info('the server closes');
        await setTimeout(grace);
        // Only this: the close of an HTTP server ends connections whose answer is still on its way.
        NetServer.prototype.close.call(app.server);
        await connections.drained(end - performance.now());
        app.server.closeAllConnections();
        await app.close();
        // A disk may hang. A thread ends when its run does, which may be never if the model is hostile.
        const left = Math.max(LIMITS.leastCloseTime, end - performance.now());
        await Promise.race([Promise.all([runtime.close(), feedback?.close()]), late(left)]);
      },
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

async function late(milliseconds: number): Promise<never> {
  await setTimeout(milliseconds, undefined, { ref: false });
  throw new Error('a worker does not end');
}

function checkNames(directories: readonly string[]): void {
  const byName = new Map<string, string>();
  for (const directory of directories) {
    const name = basename(resolve(directory));
    const other = byName.get(name);
    if (other !== undefined)
      throw new UserError(
        'argument',
        `${other} and ${directory}: both would have the name ${name}; rename one of them`,
      );
    byName.set(name, directory);
  }
}

function addDescriptions(app: FastifyInstance, { registry }: Metrics): void {
  const always = { config: { always: true } };
  app.get('/metrics', { ...always, schema: { summary: 'For Prometheus' } }, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  app.get('/openapi.json', { schema: { summary: 'This description' } }, async () => app.swagger());
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    // Fastify would listen with a second server on ::1, which would not have the limits of the first.
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (error) {
    const reason = {
      EADDRINUSE: `another program listens there; choose another ${option('port')}`,
      EACCES: `this user is not allowed to; choose a ${option('port')} from 1024`,
      EADDRNOTAVAIL: `this machine has no such address; choose another ${option('host')}`,
      ENOTFOUND: `there is no such host; choose another ${option('host')}`,
    }[(error as NodeJS.ErrnoException).code ?? ''];
    throw new UserError(
      'network',
      `cannot listen on ${host}, port ${port}: ${reason ?? (error as Error).message}`,
    );
  }
}

const urlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;

interface Watch {
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
}

async function watch(models: readonly ServedModel[], { signal, log, metrics }: Watch): Promise<void> {
  while (!signal.aborted) {
    for (const served of models) {
      const outcome = await served.refresh();
      const { name: model, version } = served.current;
      if (outcome === 'taken') {
        metrics.reloads.inc({ model, result: 'taken' });
        log.info({ model, version }, 'a new artifact is served');
      } else if (outcome) {
        metrics.reloads.inc({ model, result: 'refused' });
        log.error(
          { model, reason: outcome.refused },
          'a new artifact is refused; the previous one is still served',
        );
      }
    }
    await setTimeout(LIMITS.refreshInterval, undefined, { ref: false, signal }).catch(() => undefined);
  }
}
