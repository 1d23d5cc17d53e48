/** A process that times what it is told to, so that two can work side by side. */
import { adder, type Contender, contender } from './contenders.ts';
import { formulations } from './list.ts';

export type Wanted = { readonly formulation: number } | { readonly floats: number };
export type Order = { readonly open: Wanted } | Timing;

interface Timing {
  readonly time: number;
  /** At least one lap. */
  readonly seconds: number;
  readonly besideAnother: boolean;
}

const contenders: Contender[] = [];
/** Laps before anything is timed. */
const WARM_UP = 3;

process.on('message', async (order: Order) => {
  process.send?.('open' in order ? await opened(order.open) : await timed(order));
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

/** Work a second. */
async function timed({ time, seconds, besideAnother }: Timing): Promise<number> {
  const { work, lap } = contenders[time];
  // So that the other process is not alone in its first and last lap.
  if (besideAnother) await lap();
  const started = performance.now();
  let laps = 0;
  do {
    await lap();
    laps++;
  } while (performance.now() - started < 1000 * seconds);
  const taken = (performance.now() - started) / 1000;
  if (besideAnother) await lap();
  return (laps * work) / taken;
}
