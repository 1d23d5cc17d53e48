import { count } from '../../util/format.ts';
import type { ReadSummary as Summary } from '../../web.ts';

/** What was found in the file, and what the reader assumed. */
export function ReadSummary({ read }: { readonly read: Summary }) {
  const facts: [string, number][] = [
    ['People', read.users],
    ['Titles', read.items],
    ['Ratings to train on', read.ratings - read.heldOut],
    ['Ratings held out', read.heldOut],
    ...(read.duplicates > 0 ? [['Replaced by a later rating', read.duplicates] as [string, number]] : []),
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
