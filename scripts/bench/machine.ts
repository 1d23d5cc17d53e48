import { cpus, loadavg } from 'node:os';

/** Whether no other work is running. */
export const isIdle = (): boolean => loadavg()[0] <= 0.5;

/** Describes the machine. Warns if other work is running, because times are then not comparable. */
export function describeMachine(): string {
  if (!isIdle())
    console.error(
      `load average ${loadavg()[0].toFixed(1)}: other work is running, so the times are not comparable`,
    );
  const [{ model }] = cpus();
  return `${cpus().length} cores of an ${model.trim()}, Node ${process.versions.node.split('.')[0]}`;
}
