import type { WebTrainOptions } from '../../web.ts';
import type { ModelName } from './runs.ts';

/** What is chosen before training starts. */
export interface Choices {
  readonly models: 'dot-bias' | 'mlp' | 'both';
  readonly epochs: number;
  readonly factors: number;
  /** Widths, separated by commas. */
  readonly hidden: string;
  readonly seed: number;
  readonly heldOut: number;
}

export const DEFAULTS: Choices = {
  models: 'dot-bias',
  epochs: 6,
  factors: 50,
  hidden: '64',
  seed: 1,
  heldOut: 0.2,
};

export const modelsOf = ({ models }: Choices): ModelName[] =>
  models === 'both' ? ['dot-bias', 'mlp'] : [models];

export function optionsOf(model: ModelName, choices: Choices, titles: Blob | undefined): WebTrainOptions {
  const { epochs, factors, seed, heldOut } = choices;
  const hidden = choices.hidden
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
  return {
    ...(model === 'mlp' ? { model, config: { factors, hidden } } : { model, config: { factors } }),
    epochs,
    seed,
    ...(heldOut > 0 && { valid: heldOut }),
    ...(titles && { titles }),
  };
}
