import { capital, count } from '../../util/format.ts';
import type { ReadSummary as Summary } from '../../web.ts';

/** How much there is to train on, and to judge by. */
export function ReadSummary({ read }: { readonly read: Summary }) {
  const { kind, users, items, ratings, heldOut } = read;
  const facts: [string, number][] = [
    ['People', users],
    ['Items', items],
    [`${capital(kind)} to train on`, ratings - heldOut],
    [`${capital(kind)} held out`, heldOut],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, number]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{count(number)}</dd>
        </div>
      ))}
    </dl>
  );
}
