/** A process that times what it is told to, so that two can work side by side. */
import { adder, type Contender, contender } from './contenders.ts';
import { formulations } from './list.ts';

export type Wanted = { readonly formulation: number } | { readonly floats: number };
export type Order = { readonly open: Wanted } | { readonly time: number; readonly seconds: number };

const contenders: Contender[] = [];
/** Laps before anything is timed. */
const WARM_UP = 3;

process.on('message', async (order: Order) => {
  process.send?.('open' in order ? await opened(order.open) : await timed(order.time, order.seconds));
});

async function opened(wanted: Wanted): Promise<number> {
  const made = await ('floats' in wanted
    ? adder(wanted.floats)
    : contender(formulations[wanted.formulation]));
  contenders.push(made);
  let loss = 0;
  for (let lap = 0; lap < WARM_UP; lap++) loss = await made.lap();
  return loss;
}

/** Work a second, over at least so many seconds. */
async function timed(place: number, seconds: number): Promise<number> {
  const { work, lap } = contenders[place];
  // One lap before and one after, so that the other process is not alone in its last lap.
  await lap();
  const started = performance.now();
  let laps = 0;
  for (; performance.now() - started < 1000 * seconds; laps++) await lap();
  const taken = (performance.now() - started) / 1000;
  await lap();
  return (laps * work) / taken;
}
