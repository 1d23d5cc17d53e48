import { models } from '../../../graphs/models/index.ts';
import { verdictOf } from '../../artifact/verdict.ts';
import { capital } from '../../util/format.ts';
import type { Run } from './use-training.ts';

/** How good each model is, in a sentence. */
export function Verdicts({ runs }: { readonly runs: readonly Run[] }) {
  const judged = runs.flatMap(({ model, judgement }) =>
    judgement ? [{ model, ...verdictOf(judgement) }] : [],
  );
  if (judged.length === 0) return null;
  return (
    <section class="verdicts" aria-label="Verdict">
      {judged.map(({ model, sentence, warnings }) => (
        <div key={model} class={`notice ${warnings.length > 0 ? 'error' : ''}`}>
          {runs.length > 1 && <b>{models[model].title}</b>}
          <p>{sentence}.</p>
          {warnings.map((warning) => (
            <p key={warning}>{capital(warning)}.</p>
          ))}
        </div>
      ))}
    </section>
  );
}
