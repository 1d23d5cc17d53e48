import { cpus, loadavg } from 'node:os';

/** Whether nothing else runs. */
export const isIdle = (): boolean => loadavg()[0] <= 0.5;

/** What a benchmark runs on, in words. Warns where other work is running, because times are then unfair. */
export function describeMachine(): string {
  if (!isIdle())
    console.error(
      `load average ${loadavg()[0].toFixed(1)}: other work is running, so the times will not be fair`,
    );
  const [{ model }] = cpus();
  return `${cpus().length} cores of an ${model.trim()}, Node ${process.versions.node.split('.')[0]}`;
}
