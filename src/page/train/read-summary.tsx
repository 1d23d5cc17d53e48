import { capital, count } from '../../util/format.ts';
import type { ReadSummary as Summary } from '../../web.ts';
import { WORDS } from '../models/words.ts';

/** What was found in the file, and what the reader assumed. */
export function ReadSummary({ read }: { readonly read: Summary }) {
  const { kind, users, items, ratings, heldOut, duplicates, withoutUser } = read;
  const facts: [string, number][] = [
    ['People', users],
    [capital(WORDS[kind].items), items],
    [`${capital(kind)} to train on`, ratings - heldOut],
    [`${capital(kind)} held out`, heldOut],
    ...some(kind === 'ratings' ? 'Replaced by a later rating' : 'Added to an earlier row', duplicates),
    ...some('Left out: nobody’s', withoutUser),
  ];
  return (
    <div class="read">
      <dl class="facts">
        {facts.map(([name, number]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count(number)}</dd>
          </div>
        ))}
      </dl>
      {read.assumptions.length > 0 && (
        <ul class="assumptions" aria-label="Assumptions">
          {read.assumptions.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

const some = (name: string, number: number): [string, number][] => (number > 0 ? [[name, number]] : []);
