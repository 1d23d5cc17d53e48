import { UserError } from '../../../errors.ts';
import type { Settings, SettingsOptions } from '../../recipe/settings.ts';
import type { Schedule } from '../../step/schedules.ts';

/**
 * What the training API trains with where some settings are wanted: it has AdamW alone, with one momentum throughout,
 * for which the middle of the schedule's is taken; and it updates all rows at every step.
 *
 * @throws UserError for another optimizer, or where rows without a gradient were asked to stay
 */
export function settingsForOrtTraining(wanted: Settings, asked: SettingsOptions): Settings {
  const { optimizer, schedule } = wanted;
  if (optimizer.name !== 'adamw')
    throw new UserError(
      `ONNX Runtime's training API trains with adamw, not with ${optimizer.name}; leave out the optimizer, or train with the default engine`,
    );
  if (asked.lazy)
    throw new UserError(
      "ONNX Runtime's training API updates all rows at every step; leave out lazy, or train with the default engine",
    );
  return { ...wanted, lazy: false, schedule: withOneMomentum(schedule), engine: 'ort-training' };
}

/** Places in the training that a schedule is looked at. */
const PLACES = 100;

function withOneMomentum(schedule: Schedule): Schedule {
  const momenta = Array.from({ length: PLACES + 1 }, (_, place) => schedule.at(place / PLACES).momentum);
  const momentum = Number(((Math.min(...momenta) + Math.max(...momenta)) / 2).toFixed(4));
  const low = 'momentumLow' in schedule.config && { momentumLow: momentum };
  return {
    ...schedule,
    config: { ...schedule.config, momentum, ...low },
    at: (progress) => ({ ...schedule.at(progress), momentum }),
  };
}
