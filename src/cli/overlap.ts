import type { DataKind } from '../../graphs/models/model.ts';
import type { Overlap } from '../evaluate/overlap.ts';
import { decimal } from '../recommend/listed.ts';
import { count, nounOf, plural } from './output.ts';

/** What a judgement is too good or too bad by, one sentence each. @param total number of ratings or interactions */
export function overlapInWords(
  { trained = 0, offScale }: Overlap,
  total: number,
  { kind = 'ratings', low, high }: { readonly kind?: DataKind; readonly low: number; readonly high: number },
): string[] {
  const test = plural(total, `test ${nounOf(kind)}`);
  return [
    ...(trained > 0
      ? [`${count(trained)} of ${test} are also in training, so the model looks better than it is`]
      : []),
    ...(offScale > 0
      ? [
          `${count(offScale)} of ${test} are off the model’s scale of ${decimal(low)} to ${decimal(high)}, which it cannot predict`,
        ]
      : []),
  ];
}
