/** Ratings a second by formulations of a step, and what bounds the one that training takes: README.md says what is what. */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CHOSEN, formulations, WITHOUT_DECAY } from './formulations/list.ts';
import { type Fill, fills } from './formulations/padding.ts';
import { median, type StepProfile, stepProfile, sum } from './formulations/profile.ts';
import type { Order, Wanted } from './formulations/worker.ts';
import { describeMachine } from './machine.ts';
import { markdownTable } from './table.ts';

/** Numbers in each of three arrays, so that they lie in the second cache of a core, in the third, and in neither. */
const ARRAYS = [3 * 2 ** 14, 2 ** 20, 2 ** 24];
const BLOCK_ROWS = [2000, 3000, 5000];
/** Of a turn of two processes; a turn of one is a lap. */
const SECONDS = 0.05;
/** What takes less of a step is one line of the profile. */
const SHARE = 0.015;

/** Of each round, in ratings or bytes a second: one process, and both, which work at the same time. */
interface Rates {
  readonly one: number[];
  readonly two: number[];
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  });
  const rounds = options.quick ? { one: 9, two: 3 } : { one: 45, two: 11 };
  const machine = describeMachine();
  console.log(`${machine.cores} cores, ${machine.processor}, Node ${machine.node}, load ${machine.load}`);
  const wanted: Wanted[] = [
    ...formulations.map((_, formulation) => ({ formulation })),
    ...ARRAYS.map((floats) => ({ floats })),
  ];
  const { losses, rates } = await timed(wanted, rounds);
  const trained = rates.slice(0, formulations.length);
  const bandwidths = rates.slice(formulations.length);
  console.log(`\n${ratesTable(trained, losses)}`);

  const inPlace = formulations.flatMap((formulation, place) => (formulation.inPlace ? [place] : []));
  const profiles = new Map<number, StepProfile>();
  for (const place of [CHOSEN, WITHOUT_DECAY, ...inPlace])
    profiles.set(place, await stepProfile(formulations[place]));
  console.log(`\n${runsTable(profiles, trained)}`);
  const profile = profiles.get(CHOSEN) as StepProfile;
  console.log(`\n${profileTable(profile, stepOf(trained, CHOSEN))}`);
  console.log(`\n${fitOf(trained)}`);
  console.log(`\n${bandwidthTable(bandwidths)}`);

  const lengths = [...new Set(formulations.map(({ listLength }) => listLength))].filter((one) => one > 1);
  const full = options.quick ? undefined : await fills(BLOCK_ROWS, lengths);
  if (full) console.log(`\n${fillTable(full, lengths)}`);
  if (options.json) {
    const rows = formulations.map(({ optimizer, ...formulation }, place) => ({
      ...formulation,
      optimizer: { name: optimizer.name, ...optimizer.config },
      loss: losses[place],
      ratingsASecond: trained[place],
      profile: profiles.get(place),
    }));
    const bytesASecond = ARRAYS.map((floats, place) => ({ bytes: 4 * floats, ...bandwidths[place] }));
    const result = { machine, formulations: rows, bytesASecond, lists: full };
    await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
}

/** All by turns, in short ones, so that whatever else the machine does falls on all alike. */
async function timed(wanted: readonly Wanted[], rounds: Readonly<Record<keyof Rates, number>>) {
  const path = fileURLToPath(new URL('formulations/worker.ts', import.meta.url));
  const workers = [fork(path), fork(path)];
  try {
    const losses: number[] = [];
    for (const open of wanted) {
      const [loss] = await Promise.all(workers.map((worker) => ask(worker, { open })));
      losses.push(loss);
    }
    const rates: Rates[] = wanted.map(() => ({ one: [], two: [] }));
    for (let round = 0; round < rounds.one; round++) {
      for (const [time, { one }] of rates.entries())
        one.push(await ask(workers[round % 2], { time, seconds: 0, besideAnother: false }));
    }
    for (let round = 0; round < rounds.two; round++) {
      for (const [time, { two }] of rates.entries()) {
        const order = { time, seconds: SECONDS, besideAnother: true };
        two.push(sum(await Promise.all(workers.map((worker) => ask(worker, order)))));
      }
    }
    return { losses, rates };
  } finally {
    for (const worker of workers) worker.kill();
  }
}

function ask(worker: ChildProcess, order: Order): Promise<number> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a worker ended before it answered'));
    worker.once('exit', ended).once('message', (answer) => {
      worker.off('exit', ended);
      resolve(answer as number);
    });
    worker.send(order);
  });
}

const millions = (rate: number): string => (rate / 1e6).toFixed(2);
const gigabytes = (rate: number): string => (rate / 1e9).toFixed(1);
const quarters = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.25, 0.75].map((part) => millions(sorted[Math.floor(part * values.length)])).join('–');
};

/** Microseconds of a step in one process. */
const stepOf = (rates: readonly Rates[], place: number): number =>
  (1e6 * formulations[place].batch) / median(rates[place].one);

function ratesTable(rates: readonly Rates[], losses: readonly number[]): string {
  const chosen = rates[CHOSEN];
  return markdownTable([
    [
      '',
      '',
      'one process, M/s',
      'middle half',
      'to the chosen',
      'two, M/s',
      'middle half',
      'to the chosen',
      'loss',
    ],
    ...formulations.map(({ group, name }, place) => {
      const { one, two } = rates[place];
      return [
        place > 0 && formulations[place - 1].group === group ? '' : group,
        place === CHOSEN ? `**${name}**` : name,
        millions(median(one)),
        quarters(one),
        (median(one) / median(chosen.one)).toFixed(2),
        millions(median(two)),
        quarters(two),
        (median(two) / median(chosen.two)).toFixed(2),
        losses[place].toFixed(3),
      ];
    }),
  ]);
}

function runsTable(profiles: ReadonlyMap<number, StepProfile>, rates: readonly Rates[]): string {
  return markdownTable(
    [
      ['µs a step', 'from outside', 'run, profiled', 'nodes, profiled'],
      ...[...profiles].map(([place, { rows, runMicroseconds }]) => [
        `${formulations[place].group}: ${formulations[place].name}`,
        stepOf(rates, place).toFixed(0),
        runMicroseconds.toFixed(0),
        sum(rows.map(({ microseconds }) => microseconds)).toFixed(0),
      ]),
    ],
    (column) => column > 0,
  );
}

function profileTable({ rows }: StepProfile, step: number): string {
  const total = sum(rows.map(({ microseconds }) => microseconds));
  const large = rows.filter(({ microseconds }) => microseconds > SHARE * total);
  const small = rows.slice(large.length);
  const line = (name: string, shapes: string, some: typeof rows): string[] => {
    const [microseconds, bytes] = [
      sum(some.map((row) => row.microseconds)),
      sum(some.map((row) => row.bytes)),
    ];
    const nodes = sum(some.map((row) => row.nodes));
    return [
      name,
      shapes,
      String(nodes),
      microseconds.toFixed(0),
      ((100 * microseconds) / total).toFixed(1),
      (bytes / 1e6).toFixed(2),
      (bytes / microseconds / 1e3).toFixed(1),
    ];
  };
  return markdownTable([
    ['operator', 'reads → writes', 'nodes', 'µs a step', '%', 'MB at least', 'GB/s'],
    ...large.map((row) => line(row.operator, row.shapes, [row])),
    line('others', '', small),
    line('all', `${step.toFixed(0)} µs a step without the profiler`, rows),
  ]);
}

/** Of the chosen formulation: what a step takes whatever its size, and what a rating adds, by least squares. */
function fitOf(rates: readonly Rates[]): string {
  const points = formulations.flatMap(({ group, batch }, place) =>
    place === CHOSEN || (group === 'ratings a step' && batch <= 8192) ? [[batch, stepOf(rates, place)]] : [],
  );
  const mean = (values: readonly number[]): number => sum(values) / values.length;
  const [x, y] = [mean(points.map(([batch]) => batch)), mean(points.map(([, step]) => step))];
  const slope =
    sum(points.map(([batch, step]) => (batch - x) * (step - y))) /
    sum(points.map(([batch]) => (batch - x) ** 2));
  return `a step of up to 8,192 ratings: ${(y - slope * x).toFixed(0)} µs and ${(1000 * slope).toFixed(0)} ns a rating`;
}

function bandwidthTable(rates: readonly Rates[]): string {
  return markdownTable(
    [
      ['Add of three arrays of', 'one process, GB/s', 'two, GB/s'],
      ...ARRAYS.map((floats, place) => [
        `${((4 * floats) / 2 ** 10).toLocaleString('en-US')} kB`,
        gigabytes(median(rates[place].one)),
        gigabytes(median(rates[place].two)),
      ]),
    ],
    (column) => column > 0,
  );
}

function fillTable(full: readonly Fill[], lengths: readonly number[]): string {
  return markdownTable(
    [
      ['% of places taken; % of ratings in full lists', ...lengths.map((length) => `lists of ${length}`)],
      ...BLOCK_ROWS.map((rows) => [
        `blocks of ${rows.toLocaleString('en-US')} items`,
        ...full
          .filter((one) => one.rows === rows)
          .map((one) => `${(100 * one.taken).toFixed(0)}; ${(100 * one.inFull).toFixed(0)}`),
      ]),
    ],
    (column) => column > 0,
  );
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
