import { adagrad } from './adagrad.ts';
import { adam, adamW } from './adam.ts';
import type { Optimizer } from './optimizer.ts';
import { rowAdagrad } from './row-adagrad.ts';
import { sgd } from './sgd.ts';

export const optimizers = {
  adamw: adamW,
  adam,
  adagrad,
  'row-adagrad': rowAdagrad,
  sgd,
  'sgd-momentum': (config: { readonly weightDecay?: number } = {}) => sgd({ ...config, momentum: true }),
} satisfies Record<string, (config?: Readonly<Record<string, number>>) => Optimizer>;

export type OptimizerName = keyof typeof optimizers;
