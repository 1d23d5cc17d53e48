import { cpus, loadavg } from 'node:os';

/** What a benchmark runs on. Says so where other work is running, which makes its times unfair. */
export function describeMachine() {
  const machine = {
    processor: cpus()[0].model,
    cores: cpus().length,
    node: process.version,
    load: loadavg()[0],
  };
  if (machine.load > 0.5)
    console.error(
      `load average ${machine.load.toFixed(1)}: other work is running, so the times will not be fair`,
    );
  return machine;
}
