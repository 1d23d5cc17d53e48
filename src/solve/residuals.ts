import { Tensor } from 'onnxruntime-common';
import type { Dataset } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { stratumInBlocks, timesRated } from '../data/dataset/strata.ts';
import * as onnx from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';
import { type Biases, estimateBiases, type Pass, type Side, type Sums } from './biases.ts';

/** Ratings per run. Sums of so few lose little in 32-bit floats. */
const PER_RUN = 2 ** 20;

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

/**
 * The same by an ONNX graph, in memory or stratum by stratum from a file.
 *
 * @throws the signal's reason when it is aborted
 */
export async function biasesOf(data: Dataset, runtime: Runtime, signal?: AbortSignal): Promise<Biases> {
  const { userIds, itemCounts, facts } = data;
  const counts = { user: new Int32Array(userIds.length), item: itemCounts };
  for await (const { user } of partsOf(data))
    for (const row of user.rows) counts.user[user.block ? user.block[row] : row]++;
  const session = await runtime.createSession(onnx.encodeModel(residualGraph()), { threads: 1 });
  const sumsOf = async ({ side, offsets }: Pass): Promise<Sums> => {
    const sums = new Float64Array(counts[side].length);
    const all = { offset: Float32Array.from(offsets), zeros: new Float32Array(sums.length) };
    let squares = 0;
    for await (const part of partsOf(data)) {
      signal?.throwIfAborted();
      const [own, other] = side === 'user' ? [part.user, part.item] : [part.item, part.user];
      const offset = other.block ? Float32Array.from(other.block, (row) => offsets[row]) : all.offset;
      const zeros = own.block ? new Float32Array(own.block.length) : all.zeros;
      const result = await session.run({
        row: new Tensor('int32', own.rows),
        other: new Tensor('int32', other.rows),
        actual: new Tensor('float32', part.ratings),
        offset: new Tensor('float32', offset),
        zeros: new Tensor('float32', zeros),
      });
      const added = result.sums.data as Float32Array;
      for (let at = 0; at < added.length; at++) sums[own.block ? own.block[at] : at] += added[at];
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

/** Rows of users or of items: those of all, or positions in a block, which has the rows. */
interface SideRows {
  readonly rows: Int32Array;
  readonly block?: Int32Array;
}

interface Part extends Readonly<Record<Side, SideRows>> {
  readonly ratings: Float32Array;
}

async function* partsOf(data: Dataset): AsyncGenerator<Part> {
  const strata = data.strata?.();
  if (!strata) {
    const { users, items, ratings } = await data.sample(Number.POSITIVE_INFINITY);
    for (let from = 0; from < users.length; from += PER_RUN) {
      const to = from + PER_RUN;
      const [user, item] = [users, items].map((rows) => ({ rows: rows.subarray(from, to) }));
      yield { user, item, ratings: ratings.subarray(from, to) };
    }
    return;
  }
  for await (const { stratum, userRows, itemRows } of stratumInBlocks(strata)) {
    if (stratum.ratings.length === 0) continue;
    yield {
      user: { rows: stratum.users, block: userRows },
      item: { rows: stratum.items, block: itemRows },
      ratings: stratum.ratings,
    };
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
