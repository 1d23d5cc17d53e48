import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { UserError } from '../errors.ts';
import type { Device } from '../run/device-names.ts';
import { workerRuntime } from '../run/worker.ts';
import { LIMITS } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { ServedModel } from './models.ts';
import { addPage, staticFiles } from './page.ts';
import { readPage } from './page-files.ts';
import { addProtocol, type ServerState } from './protocol.ts';
import { addRecommendations } from './recommendations.ts';
import { tryOutInProcess } from './trial.ts';

export interface ServeOptions {
  /** Default: 127.0.0.1, which other machines cannot reach. */
  readonly host?: string;
  /** 0 for any that is free. Default: 8080. */
  readonly port?: number;
  /** Threads that run models. Default: one less than there are cores. */
  readonly workers?: number;
  /** What runs models. WebGPU runs in one worker alone. Default: the CPU. */
  readonly device?: Device | 'auto';
  /** Of the log on standard error, one JSON object a line. Default: `warn`. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /**
   * The folder of the web page to serve at `/`, where it is there; false for none. With it the first model can be
   * downloaded, without what users have rated. Default: the page that comes with cofactor.
   */
  readonly page?: string | false;
}

export interface Server {
  readonly url: string;
  /** Whether there is a web page at it. */
  readonly hasPage: boolean;
  /**
   * Says that it is not ready, takes no new connections, answers all requests in flight, and ends.
   *
   * @param grace milliseconds before the end, in which it still takes requests
   */
  close(grace?: number): Promise<void>;
}

/**
 * Serves the models in folders over HTTP: by the Open Inference Protocol, version 2, by endpoints for people, and by a
 * web page.
 *
 * @throws UserError if a folder holds no model, two are of one name, the device is not available, or the address cannot be
 * listened at.
 */
export async function serve(directories: readonly string[], options: ServeOptions = {}): Promise<Server> {
  const { host = '127.0.0.1', port = 8080, workers, device, logLevel = 'warn', page: folder } = options;
  checkNames(directories);
  // Loaded here, so that who imports the library to train and predict does not wait for a web server.
  const [{ createApp }, { Metrics }] = await Promise.all([import('./app.ts'), import('./metrics.ts')]);
  const found = folder === false ? undefined : await readPage(folder);
  const page = found && (await staticFiles(found));
  const metrics = new Metrics();
  const runtime = await workerRuntime({ workers, device, onBatch: metrics.onBatch });
  metrics.watch(runtime);
  const closing = new AbortController();
  try {
    const models: ServedModel[] = [];
    const tryOut = (directory: string) => tryOutInProcess(directory, closing.signal, runtime.device);
    for (const directory of directories) models.push(await ServedModel.open(directory, { runtime, tryOut }));
    const state: ServerState = {
      models,
      get draining() {
        return closing.signal.aborted;
      },
    };
    const app = await createApp(metrics, logLevel, (app) => {
      addProtocol(app, state);
      addRecommendations(app, state);
      addDescriptions(app, metrics);
      if (page) addPage(app, state, page);
    });
    // A connection that is kept would hold up the end.
    app.addHook('onSend', async (_, reply) => {
      if (state.draining) reply.header('connection', 'close');
    });
    await listen(app, host, port);
    void watch(models, closing.signal, app.log, metrics);
    return {
      url: urlOf(app.server.address() as AddressInfo),
      hasPage: page !== undefined,
      async close(grace = 0) {
        closing.abort();
        await setTimeout(grace);
        const cut = AbortSignal.timeout(LIMITS.closeTimeout);
        cut.addEventListener('abort', () => app.server.closeAllConnections());
        await app.close();
        await runtime.close();
      },
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

function checkNames(directories: readonly string[]): void {
  if (directories.length === 0)
    throw new UserError('argument', 'give at least one folder of a trained model');
  const places = new Map<string, string>();
  for (const directory of directories) {
    const name = basename(resolve(directory));
    const other = places.get(name);
    if (other !== undefined)
      throw new UserError(
        'argument',
        `${other} and ${directory}: both would be called ${name}; rename one of them`,
      );
    places.set(name, directory);
  }
}

function addDescriptions(app: FastifyInstance, { registry }: Metrics): void {
  app.get('/metrics', { schema: { summary: 'For Prometheus' } }, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  app.get('/openapi.json', { schema: { summary: 'This description' } }, async () => app.swagger());
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const reason = {
      EADDRINUSE: 'another program listens there; choose another --port',
      EACCES: 'this user may not; choose a --port from 1024',
      EADDRNOTAVAIL: 'this machine has no such address; choose another --host',
      ENOTFOUND: 'there is no such host; choose another --host',
    }[(error as NodeJS.ErrnoException).code ?? ''];
    throw new UserError(
      'network',
      `cannot listen at ${host}, port ${port}: ${reason ?? (error as Error).message}`,
    );
  }
}

const urlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;

async function watch(
  models: readonly ServedModel[],
  signal: AbortSignal,
  log: FastifyBaseLogger,
  { reloads }: Metrics,
): Promise<void> {
  while (!signal.aborted) {
    for (const served of models) {
      const outcome = await served.refresh();
      const { name: model, version } = served.current;
      if (outcome === 'taken') {
        reloads.inc({ model, result: 'taken' });
        log.info({ model, version }, 'a new artifact is served');
      } else if (outcome) {
        reloads.inc({ model, result: 'refused' });
        log.error(
          { model, reason: outcome.refused },
          'a new artifact is refused, and the one before it goes on',
        );
      }
    }
    await setTimeout(LIMITS.refreshInterval, undefined, { ref: false, signal }).catch(() => undefined);
  }
}
