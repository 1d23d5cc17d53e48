export interface StepSettings {
  readonly learningRate: number;
  readonly momentum: number;
}

/** Learning rate and momentum as functions of the progress of training, from 0 to 1. */
export interface Schedule {
  readonly name: string;
  readonly config: Readonly<Record<string, number>>;
  at(progress: number): StepSettings;
}

const cosineBetween = (from: number, to: number, progress: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;

/**
 * - `warmUp`: fraction of training in which the learning rate rises. Default: 0.25.
 * - `divide`, `divideFinal`: ratios of the highest learning rate to the first and to the last. Default: 25 and 1e5.
 * - `momentum`, `momentumLow`: momentum at the lowest and at the highest learning rate. Default: 0.95 and 0.85.
 */
export type OneCycleConfig = Pick<StepSettings, 'learningRate'> &
  Partial<Readonly<Record<'warmUp' | 'divide' | 'divideFinal' | 'momentum' | 'momentumLow', number>>>;

/** One-cycle: Smith (2018), "A disciplined approach to neural network hyper-parameters", with cosines as in fastai. */
export function oneCycle(config: OneCycleConfig): Schedule {
  const fixed = { warmUp: 0.25, divide: 25, divideFinal: 1e5, momentum: 0.95, momentumLow: 0.85 };
  const { learningRate, warmUp, divide, divideFinal, momentum, momentumLow } = { ...fixed, ...config };
  return {
    name: 'one-cycle',
    config: { learningRate, warmUp, divide, divideFinal, momentum, momentumLow },
    at(progress) {
      if (progress < warmUp) {
        const part = progress / warmUp;
        return {
          learningRate: cosineBetween(learningRate / divide, learningRate, part),
          momentum: cosineBetween(momentum, momentumLow, part),
        };
      }
      const part = (progress - warmUp) / (1 - warmUp);
      return {
        learningRate: cosineBetween(learningRate, learningRate / divideFinal, part),
        momentum: cosineBetween(momentumLow, momentum, part),
      };
    },
  };
}

type ConstantConfig = Pick<StepSettings, 'learningRate'> & Partial<StepSettings>;

/** Cosine annealing: from the highest learning rate down to 0. Loshchilov and Hutter (2017). */
export function cosine({ learningRate, momentum = 0.9 }: ConstantConfig): Schedule {
  return {
    name: 'cosine',
    config: { learningRate, momentum },
    at: (progress) => ({ learningRate: cosineBetween(learningRate, 0, progress), momentum }),
  };
}

export function constantRate({ learningRate, momentum = 0.9 }: ConstantConfig): Schedule {
  return { name: 'constant', config: { learningRate, momentum }, at: () => ({ learningRate, momentum }) };
}

export const schedules = { 'one-cycle': oneCycle, cosine, constant: constantRate };

export type ScheduleName = keyof typeof schedules;
