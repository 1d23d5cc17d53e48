import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { GuardData } from './guard.ts';

/** The thread that `guard.ts` starts. */
const { memory, seconds, mark } = workerData as GuardData;
const EVERY_MS = 20;
const MEGABYTE = 1e6;

const parent = process.ppid;
const before = process.memoryUsage.rss();
const start = process.cpuUsage();

function end(reason: string): void {
  // The process has no other way to say it: its main thread does not come to it any more.
  if (reason) writeSync(2, `\n${mark}${reason}\n`);
  process.kill(process.pid, 'SIGKILL');
}

setInterval(() => {
  const { user, system } = process.cpuUsage(start);
  if (process.memoryUsage.rss() - before > memory)
    end(`it took more memory than ${Math.round(memory / MEGABYTE)} MB`);
  else if (user + system > seconds * 1e6) end(`it took more than ${Math.round(seconds)} s`);
  else if (process.ppid !== parent) end('');
}, EVERY_MS);
parentPort?.postMessage('watching');
