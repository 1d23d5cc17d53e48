/** What is compared. */
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { byRatingLayout } from '../../../src/train/step/by-rating.ts';
import type { Layout } from '../../../src/train/step/layout.ts';
import { losses } from '../../../src/train/step/losses.ts';
import { adamW } from '../../../src/train/step/optimizers/adam.ts';
import type { Optimizer } from '../../../src/train/step/optimizers/optimizer.ts';
import { rowAdagrad } from '../../../src/train/step/optimizers/row-adagrad.ts';
import { sgd } from '../../../src/train/step/optimizers/sgd.ts';
import { packedLayout } from '../../../src/train/step/packed.ts';
import { type DotBias, type FlatConfig, flat, inFloat16, lists, unrolled } from './layouts.ts';

export interface Formulation {
  readonly group: string;
  readonly name: string;
  readonly optimizer: Optimizer;
  /** The layout that is measured, where it is not that of training. */
  readonly layout?: (model: DotBias) => Layout;
  readonly learningRate: number;
  /** Users in the block, and items. */
  readonly rows: number;
  /** Ratings of a step. */
  readonly batch: number;
  /** Steps in a trip of the loop. */
  readonly steps: number;
  /** By what the ratings of a batch are sorted. */
  readonly sortedBy?: 'user' | 'item';
  /** How many ratings of a user come one after another. */
  readonly listLength: number;
  /** A run of the session a step, without a loop, that writes over the tables. */
  readonly inPlace: boolean;
}

type Choice = Pick<Formulation, 'group' | 'name' | 'optimizer'> & Partial<Formulation>;

/** SGD's gradient is the mean over the batch. */
const SGD_RATE = 40;
const ADAGRAD_RATE = 0.1;

const decaying = rowAdagrad();
const plain = rowAdagrad({ weightDecay: 0 });
const options = { loss: losses.mse, lazy: true, lossScale: 1 };

/** As training lays it out. */
export const layoutOf = (optimizer: Optimizer, model: DotBias): Layout =>
  optimizer.byRow
    ? byRatingLayout(model, { optimizer, ...options }, optimizer.byRow)
    : packedLayout(model, { optimizer, ...options });

export const modelOf = (rows: number): DotBias =>
  dotBias()({ users: rows, items: rows, ratings: 1e6, low: 1, high: 5, mean: 3.5 }) as DotBias;

const byHand = (
  optimizer: Optimizer,
  layout: (model: DotBias) => Layout,
): Pick<Formulation, 'optimizer' | 'layout'> => ({
  optimizer: { ...optimizer, scalars: ({ learningRate }) => ({ learningRate }) },
  layout,
});

const DEFAULTS = {
  learningRate: ADAGRAD_RATE,
  rows: 2000,
  batch: 4096,
  steps: 1,
  listLength: 1,
  inPlace: false,
};

const bySgd = { learningRate: SGD_RATE };
const written = { group: 'row-wise Adagrad by hand, no decay' };
const grouped = { group: 'lists of ratings by one user' };
const chosen = { optimizer: decaying };

const choices: Choice[] = [
  { group: 'packed, lazy', name: 'AdamW', optimizer: adamW(), learningRate: 0.005 },
  { group: 'packed, lazy', name: 'SGD, decay', optimizer: sgd({ weightDecay: 1e-5 }), ...bySgd },
  { group: 'by rating', name: 'SGD', optimizer: sgd(), ...bySgd },
  { group: 'by rating', name: 'row-wise Adagrad', optimizer: plain },
  { group: 'by rating', name: 'row-wise Adagrad, decay', ...chosen },
  ...Object.entries<Partial<FlatConfig>>({
    'GatherElements, ScatterElements': {},
    'Gather, ScatterND': { numbers: 'rows' },
    'mean square of each gradient': { squares: 'factors' },
    'columns not stretched': { columns: 'broadcast' },
  }).map(([name, config]) => ({
    ...written,
    name,
    ...byHand(plain, (model) =>
      flat(model, { numbers: 'elements', squares: 'bias', columns: 'stretched', ...config }),
    ),
  })),
  ...[8, 16, 32].flatMap((listLength) => [
    {
      ...grouped,
      name: `SGD, ${listLength}`,
      ...byHand(sgd(), (model) => lists(model, listLength, false)),
      listLength,
      ...bySgd,
    },
    {
      ...grouped,
      name: `row-wise Adagrad, ${listLength}`,
      ...byHand(plain, (model) => lists(model, listLength, true)),
      listLength,
    },
  ]),
  { group: 'order in the batch', name: 'by user', ...chosen, sortedBy: 'user' },
  { group: 'order in the batch', name: 'by item', ...chosen, sortedBy: 'item' },
  ...[1024, 2048, 8192, 16_384].map((batch) => ({
    group: 'ratings a step',
    name: String(batch),
    ...chosen,
    batch,
  })),
  ...[1000, 3000, 5000].map((rows) => ({ group: 'rows of a block', name: String(rows), ...chosen, rows })),
  ...[plain, decaying].flatMap((optimizer) =>
    [2, 4, 8].map((steps) => ({
      group: 'steps in a trip of the loop',
      name: `${steps}${optimizer === decaying ? ', decay' : ''}`,
      optimizer,
      layout: (model: DotBias) => unrolled(layoutOf(optimizer, model), steps, DEFAULTS.batch),
      steps,
    })),
  ),
  // Decay compares the sums with those before the step, which are written over.
  { group: 'a run a step, in place', name: 'row-wise Adagrad', optimizer: plain, inPlace: true },
  ...[plain, decaying].map((optimizer) => ({
    group: 'float16 from step to step',
    name: `row-wise Adagrad${optimizer === decaying ? ', decay' : ''}`,
    optimizer,
    layout: (model: DotBias) => inFloat16(layoutOf(optimizer, model)),
  })),
];

export const formulations: readonly Formulation[] = choices.map((choice) => ({ ...DEFAULTS, ...choice }));

/** What training does, and the same without weight decay. */
export const CHOSEN = formulations.findIndex(({ name }) => name === 'row-wise Adagrad, decay');
export const WITHOUT_DECAY = CHOSEN - 1;
