import type { EngineName } from '../recipe/engines.ts';
import type { Engines } from './engine.ts';
import { epochEngine } from './epoch/engine.ts';
import { ortTraining } from './ort-training/node.ts';
import { strataEngine } from './strata/engine.ts';

export const nodeEngines = {
  'epoch-graph': () => epochEngine,
  strata: () => strataEngine,
  'ort-training': ortTraining,
} satisfies Record<EngineName, NonNullable<Engines[EngineName]>>;
