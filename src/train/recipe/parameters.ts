import type { Model } from '../../../graphs/models/model.ts';
import { UserError } from '../../errors.ts';

/** @throws UserError for parameters that do not fit in a file, which has at most 2 GiB, or that training cannot start or move */
export function checkParameters({ name, parameters }: Model): void {
  for (const [parameter, { dims, rowsOf, initial, pull = 0, rate = 1 }] of Object.entries(parameters)) {
    const refuse = (isSo: boolean, message: string): void => {
      if (isSo) throw new UserError('argument', `${name}: ${message}`);
    };
    const isOneEach = rowsOf !== undefined && dims.length === 1;
    refuse(
      dims.reduce((product, dim) => product * dim, 4) >= 2 ** 31,
      `${parameter} would have ${dims.join(' × ')} numbers, more than a file holds; give smaller widths`,
    );
    refuse(
      (initial.posterior || pull === 'prior') && !isOneEach,
      `${parameter} has ${dims.join(' × ')} numbers; only biases, a number for each user or each item, have a posterior and a prior`,
    );
    refuse(
      pull !== 'prior' && !isNotNegative(pull),
      `the pull of ${parameter} is ${pull}; give a number from 0, or 'prior'`,
    );
    refuse(!isNotNegative(rate), `the rate of ${parameter} is ${rate}; give a number from 0`);
  }
}

const isNotNegative = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;
