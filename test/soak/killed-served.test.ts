import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { decimal } from '../../src/recommend/listed.ts';
import { load } from '../../src/recommend/load.ts';
import { generator, uniform } from '../../src/util/random.ts';
import { temporaryFolder } from '../support/files.ts';
import { type Moment, momentsOf, signalAt, whyNoMoments } from '../support/moments.ts';
import { differences } from '../support/undisturbed.ts';
import { SMALL, Workplace } from '../support/writing.ts';

// Trainings are killed while they replace a model that is served and read. COUNT says how many kills there are of all tests together.

const KILLS = Math.ceil(Number(process.env.COUNT ?? 60) / 10);
const random = generator(inject('soak') ?? 1, 100);
const folder = temporaryFolder();
/** Two models that are replaced by each other. */
const training = (seed: number) => ['train', 'ratings.csv', '--out', 'served', '--seed', `${seed}`, ...SMALL];

const PEOPLE = ['u1', 'u2', 'u3'];

let place: Workplace;
let moments: readonly Moment[] = [];
let took = 0;
/** What each person gets from each of the two. */
const known = PEOPLE.map((): string[] => []);
let server: { url: string; end(): Promise<unknown> };

type Answer = readonly { readonly item: string; readonly score: number }[];
const written = (answer: Answer): string =>
  JSON.stringify(answer.map(({ item, score }) => [item, decimal(score)]));

async function read(): Promise<string[]> {
  const recommender = await load(join(place.work, 'served'));
  return (await recommender.recommend(PEOPLE, { k: 4 })).map(written);
}

/** Each person may get the answer of another model, because each asks for it. */
const ask = (): Promise<string[]> =>
  Promise.all(
    PEOPLE.map(async (user) => {
      const response = await fetch(`${server.url}/recommend/${user}?k=4`);
      const text = await response.text();
      expect(response.status, text).toBe(200);
      return written(JSON.parse(text).items);
    }),
  );

beforeAll(async () => {
  place = new Workplace(join(folder.path, 'place'));
  await place.makeInputs();
  for (const seed of [2, 1]) {
    const started = performance.now();
    await place.finish(training(seed));
    took = performance.now() - started;
    for (const [index, answer] of (await read()).entries()) known[index].push(answer);
  }
  for (const answers of known) expect(new Set(answers).size).toBe(2);
  if (whyNoMoments() === undefined) moments = await momentsOf(place, training(1));
  server = await serve();
});
afterAll(() => server?.end());

async function serve() {
  const { child, ended } = place.start(['serve', 'served', '--port', '0', '--log-level', 'error']);
  const url = new Promise<string>((found) => {
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      const [address] = /http:\/\/[\w.]+:\d+/.exec(printed) ?? [];
      if (address !== undefined) found(address);
    });
  });
  const ends = ended.then(({ stderr }) => {
    throw new Error(`the server ended: ${stderr}`);
  });
  const end = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url: await Promise.race([url, ends]), end };
}

/** Kills a training at a random moment. @returns whether it was killed before its end */
async function killed(seed: number): Promise<boolean> {
  if (moments.length > 0 && uniform(random) < 0.6) {
    const calls = [...new Set(moments.map(({ call }) => call))];
    const call = calls[Math.floor(uniform(random) * calls.length)];
    const some = moments.filter((moment) => moment.call === call);
    const moment = some[Math.floor(uniform(random) * some.length)];
    const { signal } = await place.start(training(seed), signalAt(moment, 'KILL')).ended;
    return signal === 'SIGKILL';
  }
  const { child, ended } = place.start(training(seed));
  await Promise.race([setTimeout(uniform(random) * took), ended]);
  child.kill('SIGKILL');
  return (await ended).signal === 'SIGKILL';
}

test(`a model that is served and read while ${KILLS} trainings into its folder are killed is always one of the two`, async () => {
  const counts = { killed: 0, read: 0, asked: 0 };
  const seen = PEOPLE.map(() => new Set<string>());
  let ended = false;
  const watch = async (answers: () => Promise<string[]>, name: 'read' | 'asked') => {
    for (; !ended; counts[name]++) {
      for (const [index, answer] of (await answers()).entries()) {
        expect(known[index]).toContain(answer);
        seen[index].add(answer);
      }
      await setTimeout(20);
    }
  };
  const kill = async () => {
    try {
      const before = await place.inputs({ outputs: {} });
      for (let turn = 0; counts.killed < KILLS || seen.some(({ size }) => size < 2); turn++)
        if (await killed(1 + (turn % 2))) counts.killed++;
        else expect(turn, 'most trainings come to their end').toBeLessThan(20 * (KILLS + 1));
      expect(await place.inputs({ outputs: {} })).toEqual(before);
    } finally {
      ended = true;
    }
  };
  const all = await Promise.allSettled([kill(), watch(read, 'read'), watch(ask, 'asked')]);
  for (const one of all) if (one.status === 'rejected') throw one.reason;
  console.info(`Served: ${JSON.stringify(counts)}`);
  expect(seen.map(({ size }) => size)).toEqual(PEOPLE.map(() => 2));
});

test('the next training leaves nothing of those before, and is served', async () => {
  await place.finish(training(2));
  await expect.poll(ask).toEqual(known.map(([first]) => first));
  const anew = await Workplace.copyOf(place, join(folder.path, 'anew'));
  await rm(join(anew.work, 'served'), { recursive: true });
  await anew.finish(training(2));
  expect(differences(await place.tree(), await anew.tree())).toEqual([]);
});
