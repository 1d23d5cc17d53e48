// A thread that watches a server while another thread sends it requests, so that the sending does not delay what is measured.
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const HEALTH_MS = 100;
const MEMORY_MS = 200;
const { url, pid } = workerData;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const milliseconds = [];
const failures = [];
let highest = 0;

/** The process of the command line, and that of the server, which it starts. */
const pids = [pid, ...(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')].filter(
  Boolean,
);

/** A line of what Linux says of the server's memory, in bytes: `VmRSS`, or `VmHWM`, the highest so far. */
async function memory(name) {
  const all = pids.map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]);
  });
  return (await Promise.all(all)).reduce((sum, bytes) => sum + bytes, 0);
}

const isLive = () =>
  new Promise((resolve, reject) => {
    get(`${url}/v2/health/live`, { agent }, (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
      );
    }).on('error', reject);
  });

/** Does something again and again, with so many milliseconds from one begin to the next. */
async function every(wait, work) {
  for (;;) {
    const begin = performance.now();
    await work().catch((error) => failures.push(String(error)));
    await setTimeout(Math.max(0, wait - (performance.now() - begin)));
  }
}

void every(HEALTH_MS, async () => {
  const begin = performance.now();
  await isLive();
  milliseconds.push(performance.now() - begin);
});
void every(MEMORY_MS, async () => {
  highest = Math.max(highest, await memory('VmRSS'));
});

parentPort.on('message', async () => {
  const sorted = milliseconds.toSorted((one, other) => one - other);
  parentPort.postMessage({
    health: { checks: sorted.length, p99: sorted[Math.floor(sorted.length * 0.99)], longest: sorted.at(-1) },
    failures,
    memory: { now: await memory('VmRSS'), highest, peak: await memory('VmHWM') },
  });
});
