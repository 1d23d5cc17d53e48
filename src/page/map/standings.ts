import type { PageItem, PageModel } from '../models/page-model.ts';

/** How an item stands once who rated it is accounted for. */
export interface Standing {
  readonly item: PageItem;
  /** Its bias; for a model without biases the prediction for the average user. */
  readonly value: number;
}

export interface Standings {
  readonly biases: boolean;
  readonly best: readonly Standing[];
  readonly worst: readonly Standing[];
}

/** The best and worst of the well-known items. */
export async function standings(model: PageModel, most = 10): Promise<Standings | undefined> {
  const items = model.wellKnown();
  if (items.length === 0) return undefined;
  const ids = items.map(({ id }) => id);
  const bias = model.can('factors')
    ? (await (await model.with('factors')).factors(ids)).item_bias
    : undefined;
  const values = bias?.data ?? (await (await model.with('predict')).predict(Array(ids.length).fill(''), ids));
  const sorted = items.map((item, row) => ({ item, value: values[row] })).sort((a, b) => b.value - a.value);
  return {
    biases: bias !== undefined,
    best: sorted.slice(0, most),
    // None is among the best and the worst at once.
    worst: sorted.slice(most).slice(-most).reverse(),
  };
}
