import { contentInWords, fileInWords, firstRowsInWords } from '../../data/read/in-words.ts';
import { capital } from '../../util/format.ts';
import type { Understanding } from '../../web.ts';
import { sentenceInForm } from '../messages.ts';

/** How a file was understood, and what the reader assumed. */
export function Understood({ of, busy }: { readonly of: Understanding; readonly busy: boolean }) {
  const [roles, ...rows] = firstRowsInWords(of);
  return (
    <section class="understood" aria-label="What was read" aria-busy={busy}>
      <table class="data">
        <caption>What was read</caption>
        <tbody>
          {[...of.files.flatMap(fileInWords), ...contentInWords(of)].map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{capital(name)}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table class="data">
        <caption>First rows</caption>
        <thead>
          <tr>
            {roles.map((role) => (
              <th key={role} scope="col">
                {capital(role)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((field, at) => (
                <td key={at}>{field}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {of.assumptions.length > 0 && (
        <div>
          <h2>Assumed</h2>
          <ul>
            {of.assumptions.map((one) => (
              <li key={one}>{capital(sentenceInForm(one))}.</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
