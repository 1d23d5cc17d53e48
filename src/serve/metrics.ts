import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

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

  readonly reloads = new Counter({
    name: 'cofactor_reloads_total',
    help: 'New artifacts in a folder, by whether they were taken or refused.',
    labelNames: ['model', 'result'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  readonly onBatch = (runs: number, seconds: number): void => {
    this.batches.observe(runs);
    this.inference.observe(seconds);
  };

  /** Adds the length of a runtime's queue. */
  watch(runtime: { readonly waiting: number }): void {
    new Gauge({
      name: 'cofactor_queue_length',
      help: 'Runs that wait for a worker.',
      registers: [this.registry],
      collect() {
        this.set(runtime.waiting);
      },
    });
  }
}
