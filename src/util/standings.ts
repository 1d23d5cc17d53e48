/** What orders the tables of the best and the worst items. */
export type StandingOf = 'bias' | 'rating' | 'score' | 'average' | 'popularity';

type Rows = Readonly<Record<string, { readonly data: Float32Array }>>;

interface Predictor {
  predict(users: readonly string[], items: readonly string[]): Promise<Float32Array>;
  score(users: readonly string[], items: readonly string[]): Promise<Float32Array>;
}

/** What the model was trained on, and for. */
interface About {
  readonly kind: 'ratings' | 'interactions';
  readonly objective: 'both' | 'rating' | 'ranking';
}

/** The recommender with a head, if the model has it. Published models have no `predict`, which has data about users. */
interface Heads {
  factors(): Promise<{ factors(items: readonly string[]): Promise<Rows> } | undefined>;
  predict(): Promise<Predictor | undefined>;
}

/**
 * A value of each item that does not depend on a user. A model that predicts ratings alone has biases of items, which say
 * all where no network adds to them: else `factors` is undefined. In a model of both objectives the factors come from the
 * part that ranks, so the value is the rating that is predicted for an unknown user. A model that ranks alone has the score
 * for an unknown user. Without these it is the average rating. Interactions say only how many people have an item, and so
 * does the score of an unknown user.
 */
export async function standingValues(
  items: readonly { readonly id: string; readonly count: number; readonly average?: number }[],
  { kind, objective }: About,
  heads: Heads,
): Promise<{ readonly of: StandingOf; readonly values: ArrayLike<number> }> {
  if (kind === 'interactions') return { of: 'popularity', values: items.map(({ count }) => count) };
  const ids = items.map(({ id }) => id);
  // An unknown user is treated as the average user.
  const nobody = Array<string>(ids.length).fill('');
  const bias = objective === 'rating' ? (await (await heads.factors())?.factors(ids))?.item_bias : undefined;
  if (bias) return { of: 'bias', values: bias.data };
  const predictor = await heads.predict();
  if (!predictor) return { of: 'average', values: items.map(({ average = Number.NaN }) => average) };
  if (objective === 'ranking') return { of: 'score', values: await predictor.score(nobody, ids) };
  return { of: 'rating', values: await predictor.predict(nobody, ids) };
}

interface Texts {
  /** @param items the word for items, such as `titles` */
  title(items: string): string;
  readonly first: string;
  readonly last: string;
  /** The column of the values; absent where another column has them. */
  readonly column?: string;
  why(item: string, person: string, people: string): string;
}

const judged: Pick<Texts, 'title' | 'first' | 'last'> = {
  title: (items) => `Best and worst ${items}`,
  first: 'Best',
  last: 'Worst',
};

const average = (item: string, people: string): string =>
  `An average rating depends on who rated: ${/^[aeiou]/.test(item) ? 'an' : 'a'} ${item} that only generous ${people} rated looks better than it is.`;

export const standingTexts: Readonly<Record<StandingOf, Texts>> = {
  bias: {
    ...judged,
    column: 'Bias',
    why: (item, _, people) =>
      `${average(item, people)} So the tables show the biases of the model. The bias of ${/^[aeiou]/.test(item) ? 'an' : 'a'} ${item} is how much higher it is rated than its raters’ habits and tastes explain, in the units of the model.`,
  },
  rating: {
    ...judged,
    column: 'Predicted',
    why: (item, person, people) =>
      `${average(item, people)} So the tables show the rating that the model predicts for the average ${person}.`,
  },
  average: {
    ...judged,
    why: (_, _person, people) =>
      `The tables go by average ratings, because the files here have no predictions for all ${people}.`,
  },
  score: {
    title: (items) => `First and last ${items} for everyone`,
    first: 'First',
    last: 'Last',
    column: 'Score',
    why: (_, person, people) =>
      `This model ranks, and predicts no ratings. The tables show its scores for an unknown ${person}. They say how many ${people} like something, not how good it is.`,
  },
  popularity: {
    title: (items) => `Most and least popular ${items}`,
    first: 'Most people',
    last: 'Fewest people',
    why: (item, person, people) =>
      `The tables go by how many ${people} have ${/^[aeiou]/.test(item) ? 'an' : 'a'} ${item}. They say how popular it is, not how good. The first are what a new ${person} is recommended.`,
  },
};
