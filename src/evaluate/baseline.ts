/** Scores items. Row numbers are those of its training ratings. */
export interface Scorer {
  /** Scores of all items for a user, by row; a higher score is better. */
  scores(user: number): Float32Array;
}

/** A simple predictor of ratings to compare models with. */
export interface Baseline extends Scorer {
  /** Predicts ratings by row number; the number of ids stands for an unknown user or item. */
  predict(users: Int32Array, items: Int32Array): Float32Array;
}

/** Why a baseline was not made. */
export interface Skipped {
  readonly skipped: string;
}
