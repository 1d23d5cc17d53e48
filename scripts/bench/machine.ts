import { cpus, loadavg } from 'node:os';

/** What a benchmark runs on, in words. Warns where other work is running, because times are then unfair. */
export function describeMachine(): string {
  const [load] = loadavg();
  if (load > 0.5)
    console.error(`load average ${load.toFixed(1)}: other work is running, so the times will not be fair`);
  const [{ model }] = cpus();
  return `${cpus().length} cores of an ${model.trim()}, Node ${process.versions.node.split('.')[0]}`;
}
