import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServedModel } from './models.ts';
import { LastHour, Tally } from './tally.ts';

/** Reasons of refusals, their characters, and items of lists that are counted. */
const [MOST_REASONS, MOST_CHARACTERS, MOST_ITEMS] = [50, 200, 4096];

/** Metrics for Prometheus, in addition to those of the process: memory, CPU, event-loop delay. */
export class Metrics {
  readonly registry = new Registry();

  readonly requests = new Histogram({
    name: 'cofactor_request_seconds',
    help: 'Time to answer a request.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  readonly batches = new Histogram({
    name: 'cofactor_batch_runs',
    help: 'Number of runs in a batch.',
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers: [this.registry],
  });

  readonly inference = new Histogram({
    name: 'cofactor_batch_seconds',
    help: 'Time that a worker took for one batch.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });

  readonly busy = new Counter({
    name: 'cofactor_busy_total',
    help: 'Requests that got 503, by what there was too little of: memory, time, turns, connections, or room on the disk.',
    labelNames: ['lack'],
    registers: [this.registry],
  });

  readonly reloads = new Counter({
    name: 'cofactor_reloads_total',
    help: 'New artifacts in a folder, by whether they were taken or refused.',
    labelNames: ['model', 'result'],
    registers: [this.registry],
  });

  readonly feedbackEvents = new Counter({
    name: 'cofactor_feedback_events_total',
    help: 'Events of feedback that were stored.',
    labelNames: ['model'],
    registers: [this.registry],
  });

  readonly started = new Date();
  readonly lastHour = new LastHour();
  /** Refused requests by their reason. */
  readonly refusals = new Tally(MOST_REASONS);
  private readonly lists = new Map<string, { lists: number; readonly items: Tally }>();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  readonly onBatch = (runs: number, seconds: number): void => {
    this.batches.observe(runs);
    this.inference.observe(seconds);
  };

  /** Counts a request that was refused, by its reason without the ids and numbers in it. */
  readonly onRefusal = (status: number, message: string): void => {
    const shown = message.replace(/"(?:[^"\\]|\\.)*"/g, '"…"').slice(0, MOST_CHARACTERS);
    this.refusals.add(`${status} ${shown.replace(/\d+/g, '0')}`, `${status} ${shown}`);
  };

  /** Counts a list of recommendations. */
  onList(model: string, items: readonly { readonly item: string }[]): void {
    const counted = this.listsOf(model);
    counted.lists++;
    for (const { item } of items) counted.items.add(item);
    this.lists.set(model, counted);
  }

  /** The lists of a model since the start, and its items by how many lists have them. */
  listsOf = (model: string): { lists: number; readonly items: Tally } =>
    this.lists.get(model) ?? { lists: 0, items: new Tally(MOST_ITEMS) };

  /** Adds the length of a runtime's queue, what is served and refused, and the memory of requests. */
  watch(
    runtime: { readonly waiting: number },
    models: readonly ServedModel[],
    memory: { readonly bytes: number; readonly taken: number },
  ): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(read());
        },
      });
    };
    gauge('cofactor_queue_length', 'Runs that wait for a worker.', () => runtime.waiting);
    gauge('cofactor_request_memory_bytes', 'Memory that requests hold.', () => memory.taken);
    gauge('cofactor_request_memory_limit_bytes', 'Memory that requests may hold.', () => memory.bytes);
    new Gauge({
      name: 'cofactor_model_version',
      help: 'Version of the model that is served: counts the artifacts of its folder since the start.',
      labelNames: ['model'],
      registers: [this.registry],
      collect() {
        for (const { name: model, current } of models) this.set({ model }, current.version);
      },
    });
    new Gauge({
      name: 'cofactor_model_refused',
      help: 'Number of times that the artifact in the folder was tried and refused, with the reason; absent if it is served.',
      labelNames: ['model', 'reason'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { name: model, refused } of models)
          if (refused) this.set({ model, reason: refused.reason }, refused.tries);
      },
    });
  }
}
