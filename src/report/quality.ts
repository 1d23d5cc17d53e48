import type { Judgement } from '../artifact/judgement.ts';
import { comparedIn, judgedOn, verdictOf } from '../artifact/verdict.ts';
import { type Html, html, missing } from '../document/html.ts';
import { numbers, table } from '../document/table.ts';
import { capital, error } from '../util/format.ts';

/** How good the model is on what was held out, beside its baselines. @param model its name */
export function qualitySection(judgement: Judgement | undefined, model: string): Html {
  if (!judgement)
    return missing(
      'It is not known how good the model is: nothing was held out to judge it on. Train it without --no-valid (in a program, judge what was trained), or make the report with data that it was not trained on.',
    );
  const { rating, ranking } = judgement;
  const { sentence, warnings } = verdictOf(judgement);
  const shown = (is: unknown, ...values: (number | undefined)[]): string[] =>
    is ? values.map((value) => (value === undefined ? '–' : error(value))) : [];
  return html`<p class="verdict">${sentence}.</p>
${warnings.map((warning) => html`<p class="notice">Warning: ${warning}.</p>`)}
<p>${judgedOn(judgement)}.</p>
<div class="baselines">${table(
    'On what was held out',
    [
      'Model or baseline',
      ...numbers(...(rating ? ['RMSE', 'MAE'] : []), ...(ranking ? ['NDCG', 'Precision'] : [])),
    ],
    comparedIn(judgement, model).map((one) => [
      capital(one.name),
      ...shown(rating, one.rating?.rmse, one.rating?.mae),
      ...shown(ranking, one.ranking?.ndcg, one.ranking?.precision),
    ]),
  )}</div>`;
}
