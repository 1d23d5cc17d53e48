export interface StepSettings {
  readonly learningRate: number;
  readonly momentum: number;
}

/** What the optimizer's learning rate and momentum are, as training goes from 0 to 1. */
export interface Schedule {
  readonly name: string;
  readonly config: Readonly<Record<string, number>>;
  at(progress: number): StepSettings;
}

const cosineBetween = (from: number, to: number, progress: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;

export interface OneCycleConfig {
  readonly learningRate: number;
  /** Part of training in which the learning rate rises. @default 0.25 */
  readonly warmUp?: number;
  /** The first learning rate is the highest divided by this. @default 25 */
  readonly divide?: number;
  /** The last learning rate is the highest divided by this. @default 1e5 */
  readonly divideFinal?: number;
  /** Momentum where the learning rate is low. @default 0.95 */
  readonly momentum?: number;
  /** Momentum where the learning rate is highest. @default 0.85 */
  readonly momentumLow?: number;
}

/** Smith (2018), "A disciplined approach to neural network hyper-parameters", with cosine sides as in fastai. */
export function oneCycle(config: OneCycleConfig): Schedule {
  const settings = {
    warmUp: 0.25,
    divide: 25,
    divideFinal: 1e5,
    momentum: 0.95,
    momentumLow: 0.85,
    ...config,
  };
  const { learningRate, warmUp, divide, divideFinal, momentum, momentumLow } = settings;
  return {
    name: 'one-cycle',
    config: settings,
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

export interface ConstantConfig {
  readonly learningRate: number;
  readonly momentum?: number;
}

/** From the full learning rate down to 0 along half a cosine. Loshchilov and Hutter (2017). */
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
