import { Tensor } from 'onnxruntime-common';
import type { Dataset } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import type { Rows } from '../data/dataset/rows.ts';
import { type Strata, stratumByStratum, timesRated } from '../data/dataset/strata.ts';
import * as onnx from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';
import { type Biases, estimateBiases, type Pass, type Sums } from './biases.ts';

/** Ratings per run. Sums of so few lose little in 32-bit floats. */
const PER_RUN = 2 ** 18;

/** The biases of ratings in memory, without a runtime. Unknown users are one more user, and unknown items one more item. */
export function biasesIn({ users, items, ratings, userIds, itemIds, facts, unknown }: Ratings): Biases {
  const counts = {
    user: timesRated(users, userIds.length + (unknown?.users ? 1 : 0)),
    item: timesRated(items, itemIds.length + (unknown?.items ? 1 : 0)),
  };
  const passes = estimateBiases(facts.mean, counts);
  let step = passes.next();
  while (!step.done) {
    const { side, offsets } = step.value;
    const [rows, others] = side === 'user' ? [users, items] : [items, users];
    const sums = new Float64Array(counts[side].length);
    let squares = 0;
    for (let at = 0; at < rows.length; at++) {
      const left = ratings[at] - offsets[others[at]];
      sums[rows[at]] += left;
      squares += left ** 2;
    }
    step = passes.next({ sums, squares });
  }
  return step.value;
}

/** The same by an ONNX graph, in memory or stratum by stratum from a file. */
export async function biasesOf(data: Dataset, runtime: Runtime): Promise<Biases> {
  const { userIds, itemIds, facts } = data;
  const all = data.storedIn ? undefined : await data.sample(Number.POSITIVE_INFINITY);
  const parts = () => (all ? runsOf(all) : stratumByStratum(data.strata?.() as Strata));
  const counts = { user: new Float64Array(userIds.length), item: new Float64Array(itemIds.length) };
  for await (const { users, items } of parts()) {
    for (const row of users) counts.user[row]++;
    for (const row of items) counts.item[row]++;
  }
  const session = await runtime.createSession(onnx.encodeModel(residualGraph()), { threads: 1 });
  const sumsOf = async ({ side, offsets }: Pass): Promise<Sums> => {
    const sums = new Float64Array(counts[side].length);
    const fixed = {
      offset: new Tensor('float32', Float32Array.from(offsets)),
      zeros: new Tensor('float32', new Float32Array(sums.length)),
    };
    let squares = 0;
    for await (const { users, items, ratings } of parts()) {
      const [row, other] = side === 'user' ? [users, items] : [items, users];
      const result = await session.run({
        ...fixed,
        row: new Tensor('int32', row),
        other: new Tensor('int32', other),
        actual: new Tensor('float32', ratings),
      });
      const added = result.sums.data as Float32Array;
      for (let at = 0; at < sums.length; at++) sums[at] += added[at];
      squares += Number(result.squares.data[0]);
    }
    return { sums, squares };
  };
  try {
    const passes = estimateBiases(facts.mean, counts);
    let step = passes.next();
    while (!step.done) step = passes.next(await sumsOf(step.value));
    return step.value;
  } finally {
    await session.release();
  }
}

/**
 * One pass, over some ratings: `row`, `other` int32[n], `actual` float[n], `offset` float[others], `zeros` float[rows] →
 * `sums` float[rows], of what the offsets leave of the ratings; `squares` float, the sum of its squares.
 */
function residualGraph(): onnx.ModelFile {
  const row = onnx.input('row', 'int32', ['n']);
  const other = onnx.input('other', 'int32', ['n']);
  const actual = onnx.input('actual', 'float', ['n']);
  const offset = onnx.input('offset', 'float', ['others']);
  const zeros = onnx.input('zeros', 'float', ['rows']);
  const left = onnx.sub(actual, onnx.gatherElements(offset, onnx.cast(other, 'int64')), 'left');
  return onnx.buildModel({
    name: 'residuals by row',
    inputs: [row, other, actual, offset, zeros],
    outputs: {
      sums: onnx.scatterElements(zeros, onnx.cast(row, 'int64'), left, { reduction: 'add' }),
      squares: onnx.reduceSum(onnx.mul(left, left)),
    },
  });
}

function* runsOf({ users, items, ratings }: Rows): Generator<Rows> {
  for (let from = 0; from < users.length; from += PER_RUN) {
    const to = from + PER_RUN;
    yield {
      users: users.subarray(from, to),
      items: items.subarray(from, to),
      ratings: ratings.subarray(from, to),
    };
  }
}
